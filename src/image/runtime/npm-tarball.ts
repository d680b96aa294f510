import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { InlayError } from '../../error/index.ts';
import { type Env, lastLines, runCommand } from '../command.ts';
import { RUNTIME_LOCK } from './lock.ts';

export interface NpmOptions {
  readonly cacheDir: string;
  /** What npm is run with. */
  readonly env: Env;
  readonly onProgress?: (event: { readonly step: string; readonly message: string }) => void;
}

/** Some files of a package of runtime-lock.json. */
export interface Source {
  readonly name: string;
  /** Where a file of the package goes, or undefined when it is not wanted. */
  readonly place: (path: string) => string | undefined;
}

/**
 * Unpacks files of packages into a folder, unless it is there: it is renamed into place when all of them are.
 * @throws RUNTIME_UNAVAILABLE, INTEGRITY_MISMATCH
 */
export async function unpackOnce(dir: string, sources: readonly Source[], options: NpmOptions): Promise<void> {
  if (existsSync(dir)) return;
  const tarballs: string[] = [];
  for (const { name } of sources) tarballs.push(await fetchTarball(name, options));
  await mkdir(dirname(dir), { recursive: true });
  const work = await mkdtemp(`${dir}.tmp-`);
  try {
    for (const [i, { place }] of sources.entries()) await unpack(tarballs[i] as string, place, work);
    await rename(work, dir).catch(async (error) => {
      if (!existsSync(dir)) throw error; // another build was quicker
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * The package's tarball through the npm client, and so through the user's npm configuration; its integrity is checked, also of one that lies
 * here: a crash of the machine, or whatever keeps the cache between jobs, may have left half of it.
 */
async function fetchTarball(name: string, { cacheDir, env, onProgress }: NpmOptions): Promise<string> {
  const { version, integrity } = pinOf(name);
  const target = join(cacheDir, 'npm', `${fileName(name)}-${version}.tgz`);
  if (existsSync(target) && (await integrityOf(target)) === integrity) return target;
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
    const found = await integrityOf(join(work, file));
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

async function integrityOf(path: string): Promise<string> {
  return `sha512-${createHash('sha512')
    .update(await readFile(path))
    .digest('base64')}`;
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
    try {
      for await (const chunk of entry) await file.writeFile(chunk as Uint8Array);
    } finally {
      await file.close();
    }
  }
  await feeding;
}

/** What runtime-lock.json pins. @throws RUNTIME_UNAVAILABLE */
export function pinOf(name: string): { readonly version: string; readonly integrity: string } {
  const pin = RUNTIME_LOCK[name];
  if (!pin) throw new InlayError('RUNTIME_UNAVAILABLE', `${name} is not in runtime-lock.json`);
  return pin;
}

export function versionOf(name: string): string {
  return pinOf(name).version;
}

/** A package's name as part of a file's. */
export function fileName(name: string): string {
  return name.replace(/^@/, '').replaceAll('/', '-');
}
