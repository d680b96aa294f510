import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from './cache-dir.ts';

/** A file with a request's body, for tools that read it from one. */
export async function bodyFile(body: string | Uint8Array): Promise<string> {
  const dir = join(cacheDir(), 'bodies');
  const path = join(dir, `${createHash('sha256').update(body).digest('hex').slice(0, 16)}.json`);
  if (!existsSync(path)) {
    await mkdir(dir, { recursive: true });
    await writeFile(path, body);
  }
  return path;
}
