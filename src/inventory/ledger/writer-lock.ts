import { Database, SQLiteError } from 'bun:sqlite';
import { SQL } from 'bun';
import { databaseName, unavailable } from './open.ts';
import type { Dialect } from './schema.ts';

/** Who holds it writes the ledger; it ends with the process or its connection, however that ends. */
export interface WriterLock {
  /** Whether it still stands. */
  held(): Promise<boolean>;
  release(): Promise<void>;
}

const KEY = 7_305_816_200;

/** Takes the lock; undefined where another hub has it. @throws LEDGER_UNAVAILABLE where there can be none: a full disk, a folder of somebody else's */
export async function takeWriterLock(url: string, dialect: Dialect): Promise<WriterLock | undefined> {
  return dialect === 'sqlite' ? fileLock(url) : advisoryLock(url);
}

/** The operating system's own lock on a file beside the database, by way of SQLite. */
function fileLock(url: string): WriterLock | undefined {
  let database: Database | undefined;
  try {
    database = new Database(`${databaseName(url)}-writer`, { create: true });
    database.run('PRAGMA busy_timeout = 0');
    database.run('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if (error instanceof SQLiteError && error.code === 'SQLITE_BUSY') return undefined;
    throw unavailable(url, error);
  }
  const held = database;
  return { held: async () => true, release: async () => held.close() };
}

/** A lock of the session: one connection that does nothing else. */
async function advisoryLock(url: string): Promise<WriterLock | undefined> {
  const sql = new SQL(url, { max: 1, idleTimeout: 0, maxLifetime: 0, connectionTimeout: 10 });
  try {
    const [{ held, pid }] = await sql`SELECT pg_try_advisory_lock(${KEY}) AS held, pg_backend_pid() AS pid`;
    if (held === true)
      return {
        // A connection that was made anew does not hold what the old one held.
        held: async () => {
          try {
            const [now] = await sql`SELECT pg_backend_pid() AS pid`;
            return now.pid === pid;
          } catch {
            return false;
          }
        },
        release: () => sql.close(),
      };
  } catch (error) {
    await sql.close();
    throw error;
  }
  await sql.close();
  return undefined;
}
