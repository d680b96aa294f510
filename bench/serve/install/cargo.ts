import { join } from 'node:path';
import { cacheDir } from '../cache-dir.ts';
import { run } from './run.ts';

const built = new Map<string, Promise<string>>();

/** Builds a crate in release mode, once a run; returns the folder of its programs. @throws with cargo's last words */
export function buildCrate(dir: string): Promise<string> {
  const known = built.get(dir);
  if (known) return known;
  const target = join(cacheDir(), 'cargo');
  const building = run(['cargo', 'build', '--release', '--quiet'], {
    cwd: dir,
    env: { CARGO_TARGET_DIR: target },
  }).then(() => join(target, 'release'));
  built.set(dir, building);
  return building;
}
