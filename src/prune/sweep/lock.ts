import { Database } from 'bun:sqlite';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InlayError } from '../../error/index.ts';

/**
 * Held by the one sweep that may go on in a folder. The operating system's lock on a file, by way of SQLite: it ends with the process,
 * however that ends.
 * @throws PRUNE_BUSY
 */
export async function holdSweep(dir: string): Promise<Disposable> {
  await mkdir(dir, { recursive: true });
  const database = new Database(join(dir, 'sweep.lock'), { create: true });
  try {
    database.run('PRAGMA busy_timeout = 0');
    database.run('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new InlayError('PRUNE_BUSY', `another inlay prune --yes works with ${dir}`, {
      cause,
      hint: 'Wait until it is done.',
    });
  }
  return { [Symbol.dispose]: () => database.close() };
}
