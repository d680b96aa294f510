import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from '../cache-dir.ts';
import { BENCH } from '../root.ts';
import { linkModules } from './link-modules.ts';

/** A script of peers/ as one file, as the image's server is bundled; returns its path. @throws when it cannot be bundled */
export async function bundleScript(name: string): Promise<string> {
  const dir = join(cacheDir(), 'scripts');
  await mkdir(dir, { recursive: true });
  await linkModules(dir);
  await Bun.build({
    entrypoints: [join(BENCH, 'peers', `${name}.ts`)],
    outdir: dir,
    target: 'bun',
    external: ['onnxruntime-node'],
    minify: { whitespace: true, syntax: true, identifiers: false },
  });
  return join(dir, `${name}.js`);
}
