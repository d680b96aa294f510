import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { bundlePlayground, PLAYGROUND_SCRIPT } from '../web/index.ts';
import { bundlePrograms } from './bundle.ts';
import type { TarEntry } from './layer/tar.ts';
import { bundledPackages, type NpmPackage } from './npm-package.ts';

/** The in-image server's folder. */
export const SERVER_DIR = '/opt/inlay/server';

/** What the image starts, and the threads that it starts itself; what they share is written once. */
const PROGRAMS = [
  'server/main.ts',
  'server/replica-worker.ts',
  'server/transform/watchdog-worker.ts',
  'engine/session-worker.ts',
];

export interface ServerBundle {
  /** Changes when, and only when, a byte of the server does. */
  readonly key: string;
  readonly entries: readonly TarEntry[];
  /** The npm packages that are bundled, by name. */
  readonly packages: readonly NpmPackage[];
}

/**
 * Bundles the in-image server with what it needs of npm, ONNX Runtime apart, into a few files. The bytes depend on the
 * sources and the pinned Bun only, not on where they lie.
 */
export async function bundleServer(): Promise<ServerBundle> {
  const bundled = await bundlePrograms(PROGRAMS, ['onnxruntime-node', 'onnxruntime-node/dist/binding.js']);
  const playground = await bundlePlayground();
  const hash = createHash('sha256');
  const entries: TarEntry[] = [];
  const script = { name: PLAYGROUND_SCRIPT, content: new TextEncoder().encode(playground.script) };
  for (const { name, content } of [...bundled.files, script]) {
    const path = `opt/inlay/server/${name}`;
    hash.update(`${path}\0${content.length}\0`).update(content);
    entries.push({ path, type: 'file', mode: 0o644, content });
  }
  const inputs = [...bundled.inputs, ...playground.inputs];
  const packages = await bundledPackages(inputs.map((path) => resolve(path)));
  return { key: hash.digest('hex'), entries, packages };
}
