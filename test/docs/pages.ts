import { join } from 'node:path';
import { type Page, parsePage } from './page.ts';

export const ROOT = join(import.meta.dir, '../..');

/** Every page that a reader meets. */
export async function allPages(): Promise<Page[]> {
  const paths = ['README.md', 'CONTRIBUTING.md', 'python/README.md'];
  for (const pattern of ['docs/**/*.md', 'examples/*/README.md'])
    paths.push(...(await Array.fromAsync(new Bun.Glob(pattern).scan(ROOT))).sort());
  return Promise.all(paths.map(async (path) => parsePage(path, await Bun.file(join(ROOT, path)).text())));
}
