import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * inlay's folder on this machine: INLAY_HOME, or the place that the XDG base directory specification gives to caches. Always absolute:
 * programs that inlay starts (npm, apt, runc) work in folders of their own.
 */
export function inlayHome(env: Readonly<Record<string, string | undefined>>): string {
  return resolve(env.INLAY_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'inlay'));
}
