import { isAbsolute, relative, sep } from 'node:path';

/** Whether a path is not below a folder; both absolute. */
export function isOutside(root: string, target: string): boolean {
  const way = relative(root, target);
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}
