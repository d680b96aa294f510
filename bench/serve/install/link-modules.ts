import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../root.ts';

/** Lets programs in a folder of the cache find this tree's ONNX Runtime; another tree's link, perhaps of one gone, is replaced. */
export async function linkModules(dir: string): Promise<void> {
  const link = join(dir, 'node_modules');
  await rm(link, { force: true });
  await symlink(join(ROOT, 'node_modules'), link);
}
