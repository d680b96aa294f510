import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { InlayError } from '../error/index.ts';
import { bundlePlayground, PLAYGROUND_SCRIPT } from '../web/index.ts';
import { nameByContent } from './chunk-names.ts';
import type { TarEntry } from './layer/tar.ts';
import { bundledPackages, type NpmPackage } from './npm-package.ts';

/** The in-image server's folder. */
export const SERVER_DIR = '/opt/inlay/server';

/** The folder of inlay's own package. */
export const SOURCES = join(import.meta.dir, '..', '..');

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
  const built = await Bun.build({
    entrypoints: PROGRAMS.map((file) => join(SOURCES, 'src', file)),
    splitting: true,
    root: SOURCES,
    target: 'bun',
    external: ['onnxruntime-node', 'onnxruntime-node/dist/binding.js'],
    // Names stay, so that a stack trace in a log can be read.
    minify: { whitespace: true, syntax: true, identifiers: false },
    naming: { entry: '[name].js', chunk: '[name]-[hash].js', asset: '[name].[ext]' },
    metafile: true,
    throw: false,
  });
  if (!built.success)
    throw new InlayError('COMMAND_FAILED', `the server cannot be bundled: ${built.logs.map(String).join('; ')}`, {
      hint: 'Install inlay again.',
    });
  const playground = await bundlePlayground();
  const hash = createHash('sha256');
  const entries: TarEntry[] = [];
  const outputs = await Promise.all(
    built.outputs.map(async (output) => ({
      name: output.path.replace(/^.*\//, ''),
      content: new Uint8Array(await output.arrayBuffer()),
    })),
  );
  const script = { name: PLAYGROUND_SCRIPT, content: new TextEncoder().encode(playground.script) };
  for (const { name, content } of [...nameByContent(outputs), script]) {
    const path = `opt/inlay/server/${name}`;
    hash.update(`${path}\0${content.length}\0`).update(content);
    entries.push({ path, type: 'file', mode: 0o644, content });
  }
  const inputs = [...Object.keys(built.metafile?.inputs ?? {}), ...playground.inputs];
  const packages = await bundledPackages(inputs.map((path) => resolve(path)));
  return { key: hash.digest('hex'), entries, packages };
}
