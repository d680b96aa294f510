import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { InlayError } from '../../error/index.ts';
import { type Env, lastLines, runCommand } from '../command.ts';
import type { TarEntry } from '../layer/tar.ts';
import type { NpmPackage } from '../npm-package.ts';
import type { Platform } from '../oci/schema.ts';
import { RUNTIME_LOCK } from './lock.ts';

export interface RuntimeOptions {
  readonly platform: Platform;
  readonly cacheDir: string;
  readonly env: Env;
  readonly onProgress?: (event: { readonly step: string; readonly message: string }) => void;
}

export interface Runtime {
  readonly key: string;
  readonly facts: { readonly bun: string; readonly onnxruntime: string };
  /** The npm packages that it is taken from. */
  readonly packages: readonly (NpmPackage & { readonly integrity: string })[];
  readonly entries: () => Promise<TarEntry[]>;
}

/** Part of the key: to be raised when the same packages give other entries. */
const FORMAT = 'runtime format 1';

const BUN: Readonly<Record<string, string>> = { amd64: '@oven/bun-linux-x64', arm64: '@oven/bun-linux-aarch64' };
const ORT_ARCHITECTURE: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' };

interface Source {
  readonly name: string;
  /** Path in the image of a file of the package, or undefined when the image does not need it. */
  readonly place: (path: string) => string | undefined;
}

/**
 * Bun and ONNX Runtime for one platform: only what runs there, 68 MB compressed of the 288 MB that npm would install.
 * @throws RUNTIME_UNAVAILABLE, INTEGRITY_MISMATCH
 */
export async function prepareRuntime(options: RuntimeOptions): Promise<Runtime> {
  const sources = sourcesFor(options.platform);
  const integrity = sources.map(({ name }) => `${name} ${RUNTIME_LOCK[name]?.integrity}`).join('\n');
  return {
    key: createHash('sha256').update(`${FORMAT}\n${options.platform.architecture}\n${integrity}`).digest('hex'),
    facts: { bun: versionOf(BUN[options.platform.architecture] ?? ''), onnxruntime: versionOf('onnxruntime-node') },
    packages: sources.map(({ name }) => ({ name, ...pinOf(name), licence: 'MIT' })),
    entries: async () => (await Promise.all(sources.map((source) => entriesOf(source, options)))).flat(),
  };
}

function sourcesFor(platform: Platform): Source[] {
  const bun = BUN[platform.architecture];
  const ort = ORT_ARCHITECTURE[platform.architecture];
  if (!bun || !ort)
    throw new InlayError('PLATFORM_UNSUPPORTED', `there is no runtime for ${platform.os}/${platform.architecture}`);
  const inPackage = (name: string, wanted: RegExp) => (path: string) =>
    wanted.test(path) ? `opt/inlay/node_modules/${name}/${path}` : undefined;
  return [
    { name: bun, place: (path) => (path === 'bin/bun' ? 'opt/inlay/bin/bun' : undefined) },
    {
      name: 'onnxruntime-node',
      place: inPackage(
        'onnxruntime-node',
        new RegExp(`^(package\\.json|dist/[^/]+\\.js|bin/napi-v6/linux/${ort}/.+|LICENSE.*|ThirdPartyNotices.*)$`),
      ),
    },
    {
      name: 'onnxruntime-common',
      place: inPackage('onnxruntime-common', /^(package\.json|dist\/(cjs|esm)\/.*\.(js|json)|LICENSE.*)$/),
    },
  ];
}

/** Whether a build for the platform needs nothing of npm any more. */
export function runtimeIsHere(cacheDir: string, platform: Platform): boolean {
  return sourcesFor(platform).every(({ name }) => existsSync(unpackedDir(name, cacheDir, platform)));
}

function unpackedDir(name: string, cacheDir: string, platform: Platform): string {
  return join(cacheDir, 'runtime', `${fileName(name)}-${versionOf(name)}-${platform.architecture}`);
}

/** The files of a package that the image needs, unpacked once into the cache. */
async function entriesOf(source: Source, options: RuntimeOptions): Promise<TarEntry[]> {
  const dir = unpackedDir(source.name, options.cacheDir, options.platform);
  if (!existsSync(dir)) {
    const tarball = await fetchTarball(source.name, options);
    await mkdir(dirname(dir), { recursive: true });
    const work = await mkdtemp(`${dir}.tmp-`);
    try {
      await unpack(tarball, source.place, work);
      await rename(work, dir).catch(async (error) => {
        if (!existsSync(dir)) throw error; // another build was quicker
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const entries: TarEntry[] = [];
  for (const file of await readdir(dir, { recursive: true })) {
    const path = join(dir, file);
    const found = await stat(path);
    if (found.isFile())
      entries.push({
        path: file,
        type: 'file',
        mode: file.endsWith('/bun') ? 0o755 : 0o644,
        content: { path, size: found.size },
      });
  }
  return entries;
}

/** The package's tarball through the npm client, and so through the user's npm configuration; its integrity is checked. */
async function fetchTarball(name: string, { cacheDir, env, onProgress }: RuntimeOptions): Promise<string> {
  const { version, integrity } = pinOf(name);
  const target = join(cacheDir, 'npm', `${fileName(name)}-${version}.tgz`);
  if (existsSync(target)) return target;
  onProgress?.({ step: 'runtime', message: `fetching ${name} ${version} with npm` });
  await mkdir(dirname(target), { recursive: true });
  // An empty folder, so that no project's own npm settings or workspaces take part.
  const work = await mkdtemp(join(cacheDir, 'npm', '.pack-'));
  try {
    const packed = await runCommand(
      ['npm', 'pack', `${name}@${version}`, '--ignore-scripts', '--loglevel=error', '--pack-destination', work],
      { env, cwd: work },
    );
    const [file] = (await readdir(work)).filter((found) => found.endsWith('.tgz'));
    if (packed.exitCode !== 0 || file === undefined) {
      throw new InlayError('RUNTIME_UNAVAILABLE', `npm cannot fetch ${name}@${version}: ${lastLines(packed.stderr)}`, {
        hint: 'Check npm’s registry settings: npm config get registry.',
      });
    }
    const found = `sha512-${createHash('sha512')
      .update(await readFile(join(work, file)))
      .digest('base64')}`;
    if (found !== integrity) {
      throw new InlayError(
        'INTEGRITY_MISMATCH',
        `${name}@${version} from the npm registry is not the published one: ${found}, expected ${integrity}`,
        { hint: 'Check what npm config get registry names.' },
      );
    }
    await rename(join(work, file), target);
    return target;
  } catch (error) {
    if (error instanceof InlayError && error.code === 'COMMAND_FAILED')
      throw new InlayError('RUNTIME_UNAVAILABLE', error.message, {
        cause: error,
        hint: 'inlay fetches the runtime with npm: install Node.js with npm.',
      });
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function unpack(tarball: string, place: Source['place'], dir: string): Promise<void> {
  const entries = extract();
  const feeding = (async () => {
    const gunzip = createGunzip();
    gunzip.end(await readFile(tarball));
    for await (const chunk of gunzip)
      if (!entries.write(chunk)) await new Promise<void>((resolve) => entries.once('drain', () => resolve()));
    entries.end(undefined);
  })();
  for await (const entry of entries) {
    // npm's tarballs hold everything below one folder.
    const path = place(entry.header.name.replace(/^[^/]+\//, ''));
    if (path === undefined || entry.header.type !== 'file') {
      entry.resume();
      continue;
    }
    const target = join(dir, path);
    await mkdir(dirname(target), { recursive: true });
    const file = await open(target, 'wx');
    for await (const chunk of entry) await file.write(chunk as Uint8Array);
    await file.close();
  }
  await feeding;
}

function pinOf(name: string): { readonly version: string; readonly integrity: string } {
  const pin = RUNTIME_LOCK[name];
  if (!pin) throw new InlayError('RUNTIME_UNAVAILABLE', `${name} is not in runtime-lock.json`);
  return pin;
}

function versionOf(name: string): string {
  return pinOf(name).version;
}

function fileName(name: string): string {
  return name.replace(/^@/, '').replaceAll('/', '-');
}
