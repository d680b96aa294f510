import { SQL } from 'bun';
import { InlayError, isInlayError } from '../../error/index.ts';
import { Ledger } from './ledger.ts';
import { type Dialect, migrate } from './schema.ts';

/**
 * Opens the ledger and brings it to the present schema.
 * @param url `sqlite:///PATH` or `postgres://USER:PASSWORD@HOST/NAME`
 * @throws LEDGER_UNAVAILABLE, LEDGER_INVALID
 */
export async function openLedger(url: string): Promise<Ledger> {
  const dialect: Dialect = url.startsWith('sqlite:') ? 'sqlite' : 'postgres';
  const sql = connectDatabase(url, dialect);
  try {
    if (dialect === 'sqlite') {
      // First: what follows waits for a hub that opens or closes it at the same time.
      await sql.unsafe('PRAGMA busy_timeout = 10000');
      await sql.unsafe('PRAGMA journal_mode = WAL');
      await sql.unsafe('PRAGMA synchronous = FULL');
      await sql.unsafe('PRAGMA foreign_keys = ON');
    }
    await migrate(sql, dialect);
  } catch (error) {
    await sql.close().catch(() => {});
    throw isInlayError(error) ? error : unavailable(url, error);
  }
  return new Ledger(sql, dialect, url);
}

/** Without Postgres' compiler of queries: for one that seeks ten thousand times it takes longer than the query. */
export function connectDatabase(url: string, dialect: Dialect): SQL {
  return dialect === 'sqlite'
    ? new SQL(url)
    : new SQL(url, { max: 4, connectionTimeout: 10, connection: { jit: 'off' } });
}

/** Says where, without the password. */
export function databaseName(url: string): string {
  if (url.startsWith('sqlite:')) return url.replace(/^sqlite:(\/\/)?/, '');
  const parsed = new URL(url);
  parsed.password = '';
  return parsed.href;
}

export function unavailable(url: string, cause: unknown): InlayError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new InlayError('LEDGER_UNAVAILABLE', `the ledger ${databaseName(url)} cannot be used: ${said}`, {
    cause,
    hint: 'Check --database, that the server runs, and PGPASSWORD; for a file that its folder can be written.',
  });
}
