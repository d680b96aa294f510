import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransformBundle } from './bundle.ts';

/** Folders of this process by digest: a module is loaded once a path. */
const unpacked = new Map<string, Promise<string>>();

/** Writes a bundle into a folder of this process's own, where it is loaded as in an image; the folder goes when the process ends. */
export function unpackBundle({ digest, files }: TransformBundle): Promise<string> {
  let dir = unpacked.get(digest);
  if (!dir) {
    dir = write(files);
    unpacked.set(digest, dir);
  }
  return dir;
}

async function write(files: TransformBundle['files']): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'inlay-transform-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  await Promise.all(files.map(({ name, content }) => writeFile(join(dir, name), content)));
  return dir;
}
