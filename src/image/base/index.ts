import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { InlayError } from '../../error/index.ts';
import type { Env } from '../command.ts';
import type { TarEntry } from '../layer/tar.ts';
import type { Platform } from '../oci/schema.ts';
import { debPath, hasDeb, PrivateApt } from './apt.ts';
import { readDeb } from './deb.ts';
import { type Pin, pinPackages, readLock } from './lock.ts';
import { rootFsOf } from './root-fs.ts';

export interface BaseOptions {
  readonly platform: Platform;
  readonly lockPath: string;
  readonly cacheDir: string;
  readonly env: Env;
  readonly onProgress?: (event: { readonly step: string; readonly message: string }) => void;
}

export interface BaseFacts {
  readonly os: { readonly id: string; readonly versionId: string; readonly prettyName: string };
  readonly packages: readonly Pin[];
}

export interface Base {
  /** Changes when, and only when, the base's bytes do. */
  readonly key: string;
  readonly facts: BaseFacts;
  readonly entries: () => Promise<TarEntry[]>;
}

/** What Bun and ONNX Runtime need of a system, and what a server is expected to find: certificates, time zones, names. */
const PACKAGES = ['base-files', 'ca-certificates', 'libc6', 'libgcc-s1', 'libstdc++6', 'netbase', 'tzdata'];

/** Part of the key: to be raised when root-fs.ts makes other bytes of the same packages. */
const FORMAT = 'apt base format 1';

/**
 * The base composed from Debian packages. The versions are those that inlay.lock pins; without a pin for the platform
 * the newest are taken and pinned. Packages fetched before need no network.
 * @throws BASE_UNAVAILABLE, BASE_MOVED, LOCK_INVALID, INTEGRITY_MISMATCH
 */
export async function prepareAptBase(options: BaseOptions): Promise<Base> {
  const pins = (await readLock(options.lockPath))?.base?.platforms[platformKey(options)];
  return pins ? composed(pins, options) : lockBase(options);
}

/** Pins the newest versions for the platform, whatever was pinned before. @throws as prepareAptBase */
export async function lockBase(options: BaseOptions): Promise<Base> {
  const { platform, lockPath, onProgress } = options;
  onProgress?.({ step: 'base', message: `asking apt for the packages of ${platformKey(options)}` });
  const apt = await openApt(options);
  // Holds the licence that libgcc-s1 and libstdc++6 point to; its name has GCC's version in it.
  const licence = (await apt.dependencies('libgcc-s1')).filter((name) => /^gcc-\d+-base$/.test(name));
  const pins = await apt.candidates([...PACKAGES, ...licence]);
  const foreign = pins.find((pin) => pin.architecture !== 'all' && pin.architecture !== platform.architecture);
  if (foreign)
    throw new InlayError(
      'BASE_UNAVAILABLE',
      `apt offers ${foreign.name} for ${foreign.architecture}, not ${platform.architecture}`,
      { hint: 'Do the apt sources of this machine serve that architecture?' },
    );
  const base = await composed(pins, options, apt);
  await pinPackages(lockPath, platformKey(options), pins);
  onProgress?.({ step: 'base', message: `pinned ${pins.length} packages in inlay.lock` });
  return base;
}

/** @param found in any order: apt tells them in another one than the lock, and the image is the same */
async function composed(found: readonly Pin[], options: BaseOptions, apt?: PrivateApt): Promise<Base> {
  const pins = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const dir = join(options.cacheDir, 'debs');
  const missing = pins.filter((pin) => !hasDeb(dir, pin));
  if (missing.length > 0) {
    options.onProgress?.({ step: 'base', message: `fetching ${missing.length} packages` });
    await (apt ?? (await openApt(options))).download(missing, dir);
  }
  const debs = once(() => Promise.all(pins.map((pin) => readDeb(debPath(dir, pin), options.env))));
  return {
    key: createHash('sha256')
      .update(FORMAT)
      .update(
        pins
          .map((pin) => pin.sha256)
          .sort()
          .join('\n'),
      )
      .digest('hex'),
    facts: { os: osOf(pins), packages: pins },
    entries: async () => rootFsOf(await debs()),
  };
}

function openApt({ cacheDir, platform, env }: BaseOptions): Promise<PrivateApt> {
  return PrivateApt.open(join(cacheDir, 'apt', platform.architecture), platform.architecture, env);
}

/** From base-files' version, which starts with that of the release (Debian policy): 12.4+deb12u13 is Debian 12. */
function osOf(pins: readonly Pin[]): BaseFacts['os'] {
  const version = pins.find((pin) => pin.name === 'base-files')?.version ?? '';
  const ubuntu = /ubuntu/.test(version);
  const versionId = /^\d+/.exec(version)?.[0] ?? '';
  return ubuntu
    ? { id: 'ubuntu', versionId, prettyName: 'ubuntu' }
    : { id: 'debian', versionId, prettyName: `debian ${versionId}` };
}

function platformKey({ platform }: Pick<BaseOptions, 'platform'>): string {
  return `${platform.os}/${platform.architecture}`;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
