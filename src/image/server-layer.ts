import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { bundlePlayground, PLAYGROUND_SCRIPT } from '../web/index.ts';
import { bundlePrograms } from './bundle.ts';
import { compileProgram, RUNTIME_PLACE } from './compiled-program.ts';
import type { TarEntry } from './layer/tar.ts';
import { bundledPackages, type NpmPackage } from './npm-package.ts';
import { FROM_SOURCES, readPacked } from './packed.ts';

/** The in-image server's folder. */
export const SERVER_DIR = '/opt/inlay/server';

/** The threads that the server starts itself. */
export const WORKERS = [
  'server/replica-worker.ts',
  'server/transform/watchdog-worker.ts',
  'engine/session-worker.ts',
] as const;

export interface ServerBundle {
  /** Changes when, and only when, a byte of the server does. */
  readonly key: string;
  readonly entries: readonly TarEntry[];
  /** The npm packages that are bundled, by name. */
  readonly packages: readonly NpmPackage[];
}

/**
 * Bundles the in-image server with what it needs of npm, ONNX Runtime apart, into a few files, compiled for the pinned Bun. The
 * bytes depend on the sources and that Bun only, not on where they lie.
 */
export async function bundleServer(): Promise<ServerBundle> {
  const { files, packages } = FROM_SOURCES ? await bundleSources() : await readPacked('server');
  const hash = createHash('sha256');
  const entries: TarEntry[] = [];
  for (const { name, content } of files) {
    const path = `opt/inlay/server/${name}`;
    hash.update(`${path}\0${content.length}\0`).update(content);
    entries.push({ path, type: 'file', mode: 0o644, content });
  }
  return { key: hash.digest('hex'), entries, packages };
}

async function bundleSources() {
  const { files, inputs } = await bundlePrograms(['server/main.ts', ...WORKERS], [], [], RUNTIME_PLACE);
  const threads = WORKERS.map((path) => basename(path, '.ts'));
  const program = await compileProgram(
    files.filter(({ isAsset }) => !isAsset),
    'main',
    threads,
  );
  const assets = files.filter(({ isAsset }) => isAsset);
  const playground = await bundlePlayground();
  const script = { name: PLAYGROUND_SCRIPT, content: new TextEncoder().encode(playground.script) };
  const packages = await bundledPackages([...inputs, ...playground.inputs].map((path) => resolve(path)));
  return { files: [...program, ...assets, script], packages };
}
