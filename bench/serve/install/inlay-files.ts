import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { bundleServer } from '../../../src/image/server-layer.ts';
import { cacheDir } from '../cache-dir.ts';
import { linkModules } from './link-modules.ts';

/** The image's server, bundled as `inlay build` does it, with this tree's ONNX Runtime beside it; returns main.js. */
export async function layOutServer(): Promise<string> {
  const { key, entries } = await bundleServer();
  const dir = join(cacheDir(), 'server', key.slice(0, 16));
  await mkdir(join(dir, 'server'), { recursive: true });
  for (const { path, content } of entries)
    if (content instanceof Uint8Array) await writeFile(join(dir, 'server', basename(path)), content);
  await linkModules(dir);
  return join(dir, 'server', 'main.js');
}
