import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from '../cache-dir.ts';
import { run } from './run.ts';

/** A Python environment with a requirements file's packages, made anew when the file changes; returns its bin folder. */
export async function makeVenv(name: string, requirements: string): Promise<string> {
  const dir = join(cacheDir(), 'venvs', name);
  const stamp = join(
    dir,
    `inlay-${createHash('sha256')
      .update(await readFile(requirements))
      .digest('hex')
      .slice(0, 16)}`,
  );
  if (!existsSync(stamp)) {
    process.stderr.write(`installing ${name} into ${dir}\n`);
    await rm(dir, { recursive: true, force: true });
    await run(['python3', '-m', 'venv', dir]);
    await run([join(dir, 'bin', 'pip'), 'install', '-q', '--disable-pip-version-check', '-r', requirements]);
    await writeFile(stamp, '');
  }
  return join(dir, 'bin');
}
