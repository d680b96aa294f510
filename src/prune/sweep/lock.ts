import { Database, SQLiteError } from 'bun:sqlite';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InlayError } from '../../error/index.ts';

/**
 * Held by the one sweep that may go on in a folder. The operating system's lock on a file, by way of SQLite: it ends with the process,
 * however that ends.
 * @throws PRUNE_BUSY; FILE_REFUSED, DISK_FULL where there can be no such file
 */
export async function holdSweep(dir: string): Promise<Disposable> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, 'sweep.lock');
  let database: Database | undefined;
  try {
    database = new Database(path, { create: true });
    database.run('PRAGMA busy_timeout = 0');
    database.run('BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    throw notHeld(path, cause);
  }
  const held = database;
  return { [Symbol.dispose]: () => held.close() };
}

function notHeld(path: string, cause: unknown): unknown {
  if (!(cause instanceof SQLiteError)) return cause;
  if (cause.code === 'SQLITE_BUSY')
    return new InlayError('PRUNE_BUSY', `another inlay prune --yes works with ${dirname(path)}`, {
      cause,
      hint: 'Wait until it is done.',
    });
  return new InlayError(cause.code === 'SQLITE_FULL' ? 'DISK_FULL' : 'FILE_REFUSED', `${path}: ${cause.message}`, {
    cause,
    hint: 'What is deleted is noted there first, so it has to be written.',
  });
}
