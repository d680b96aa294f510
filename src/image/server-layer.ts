import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InlayError } from '../error/index.ts';
import { bundlePlayground, PLAYGROUND_SCRIPT } from '../web/index.ts';
import { stampOf } from './file-stamp.ts';
import type { TarEntry } from './layer/tar.ts';

/** The in-image server's folder. */
export const SERVER_DIR = '/opt/inlay/server';

const SOURCES = join(import.meta.dir, '..', '..');

/** What the image starts, and the threads that it starts itself; what they share is written once. */
const PROGRAMS = ['server/main.ts', 'server/replica-worker.ts', 'engine/session-worker.ts'];

export interface ServerBundle {
  /** Changes when, and only when, a byte of the server does. */
  readonly key: string;
  readonly entries: readonly TarEntry[];
}

/** The rooms that the bundle is made of. */
const ROOMS = 'src/{server,engine,contract,error,web}/**/*';

/** npm's note of what it installed: beside inlay, or below it in a clone. */
const INSTALLED = ['node_modules/.package-lock.json', '../.package-lock.json'];

/**
 * The server's key, without bundling where none of its sources has changed since it was last bundled.
 * @param cacheDir where the notes lie
 */
export async function prepareServer(
  cacheDir: string,
): Promise<{ readonly key: string; readonly entries: () => Promise<readonly TarEntry[]> }> {
  const note = join(cacheDir, 'server', await sourcesKey());
  const known = await readFile(note, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(known)) return { key: known, entries: async () => (await bundleServer()).entries };
  const { key, entries } = await bundleServer();
  await mkdir(dirname(note), { recursive: true });
  const temporary = `${note}.${randomUUID()}`;
  await writeFile(temporary, key);
  await rename(temporary, note);
  return { key, entries: async () => entries };
}

async function sourcesKey(): Promise<string> {
  const files = await Array.fromAsync(new Bun.Glob(ROOMS).scan({ cwd: SOURCES }));
  const stamps = await Promise.all(
    [...files.sort(), ...INSTALLED].map(async (file) => {
      const stamp = await stampOf(join(SOURCES, file)).catch(() => undefined);
      return `${file} ${stamp?.key}`;
    }),
  );
  return createHash('sha256')
    .update([SOURCES, Bun.version, ...stamps].join('\n'))
    .digest('hex');
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
    throw: false,
  });
  if (!built.success)
    throw new InlayError('COMMAND_FAILED', `the server cannot be bundled: ${built.logs.map(String).join('; ')}`, {
      hint: 'Install inlay again.',
    });
  const hash = createHash('sha256');
  const entries: TarEntry[] = [];
  const files = [
    ...(await withPlainNames(built.outputs)),
    { name: PLAYGROUND_SCRIPT, file: new Blob([await bundlePlayground()]) },
  ];
  for (const { name, file } of files) {
    const content = new Uint8Array(await file.arrayBuffer());
    const path = `opt/inlay/server/${name}`;
    hash.update(`${path}\0${content.length}\0`).update(content);
    entries.push({ path, type: 'file', mode: 0o644, content });
  }
  return { key: hash.digest('hex'), entries };
}

/**
 * The outputs, with chunks numbered in their order: the hash in a chunk's name depends on where npm's packages lie, which the image
 * must not.
 */
async function withPlainNames(
  outputs: readonly Bun.BuildArtifact[],
): Promise<{ readonly name: string; readonly file: Blob }[]> {
  const nameOf = (output: Bun.BuildArtifact) => output.path.replace(/^.*\//, '');
  const chunks = outputs.filter(({ kind }) => kind === 'chunk').map(nameOf);
  const renamed = new Map(chunks.map((name, i) => [name, `chunk-${i + 1}.js`]));
  return Promise.all(
    outputs.map(async (output) => {
      const name = nameOf(output);
      if (!name.endsWith('.js')) return { name, file: output };
      let text = await output.text();
      for (const [from, to] of renamed) text = text.replaceAll(from, to);
      return { name: renamed.get(name) ?? name, file: new Blob([text]) };
    }),
  );
}
