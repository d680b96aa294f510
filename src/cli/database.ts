import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InlayError } from '../error/index.ts';
import { inlayHome } from './home.ts';

/**
 * The ledger's database: a URL of SQLite or Postgres. A password does not belong on a command line, which every user of a machine sees.
 * @throws USAGE, LEDGER_UNAVAILABLE
 */
export function databaseOf(flag: string | undefined): string {
  const text = flag ?? process.env.INLAY_DATABASE ?? join(inlayHome(process.env), 'ledger.db');
  if (!/^postgres(ql)?:\/\//.test(text)) {
    const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text) ?? [];
    if (scheme !== undefined && scheme !== 'sqlite://')
      throw new InlayError('USAGE', `a ledger cannot be kept at ${scheme}`, {
        hint: 'A path is a file of SQLite; postgres://USER@HOST:5432/NAME is Postgres.',
      });
    const path = resolve(text.replace(/^sqlite:(\/\/)?/, ''));
    makeFolder(dirname(path));
    return `sqlite://${path}`;
  }
  if (!URL.canParse(text))
    throw new InlayError('USAGE', 'the database’s address is no URL', { hint: 'postgres://USER@HOST:5432/NAME' });
  const url = new URL(text);
  if (flag !== undefined && url.password !== '')
    throw new InlayError('USAGE', '--database with a password in it', {
      hint: 'Leave the password out and set PGPASSWORD, or give the whole address in INLAY_DATABASE.',
    });
  if (url.password === '' && process.env.PGPASSWORD) url.password = encodeURIComponent(process.env.PGPASSWORD);
  return url.href;
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    throw new InlayError(
      'LEDGER_UNAVAILABLE',
      `the ledger's folder ${dir} cannot be made: ${(cause as Error).message}`,
      {
        cause,
        hint: 'Name a file in another folder with --database.',
      },
    );
  }
}
