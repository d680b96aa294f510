import { homedir } from 'node:os';
import { join } from 'node:path';

/** inlay's folder on this machine: INLAY_HOME, or the place that the XDG base directory specification gives to caches. */
export function inlayHome(env: Readonly<Record<string, string | undefined>>): string {
  return env.INLAY_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'inlay');
}
