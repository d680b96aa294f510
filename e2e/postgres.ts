// A Postgres of our own: Debian's, as a user that is not root, in a temporary folder, on a free port of 127.0.0.1.
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from './inlay.ts';

const BIN = '/usr/lib/postgresql';

export interface Postgres {
  /** The address of a new, empty database. */
  fresh(): Promise<string>;
  /** Kills it as a crash would, and starts it again. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** @param within the command line that runs a program where the database is to be reached, as another network namespace */
export async function startPostgres(within: (command: string[]) => string[] = (command) => command): Promise<Postgres> {
  const version = readdirSync(BIN).sort().at(-1) ?? '';
  const bin = (name: string) => join(BIN, version, 'bin', name);
  if (!existsSync(bin('initdb'))) throw new Error('no Postgres: apt-get install postgresql');
  const dir = mkdtempSync(join(tmpdir(), 'inlay-postgres-'));
  const user = process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
  if (user.length > 0) {
    const id = async (flag: string) => Number((await must(['id', flag, 'postgres'])).trim());
    chownSync(dir, await id('-u'), await id('-g'));
  }
  const [data, secret] = [join(dir, 'data'), join(dir, 'password')];
  const password = crypto.randomUUID();
  writeFileSync(secret, password, { mode: 0o644 });
  await must([
    ...user,
    bin('initdb'),
    '-D',
    data,
    '-U',
    'inlay',
    '--auth=scram-sha-256',
    `--pwfile=${secret}`,
    '-E',
    'UTF8',
    '--locale=C',
  ]);
  const port = await freePort();
  const control = (...words: string[]) =>
    must(within([...user, bin('pg_ctl'), '-D', data, '-w', '-l', join(dir, 'log'), ...words]));
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${dir}`;
  await control('-o', options, 'start');
  let databases = 0;
  const address = (name: string) => `postgres://inlay:${password}@127.0.0.1:${port}/${name}`;
  return {
    fresh: async () => {
      const name = `ledger${databases++}`;
      // By its socket, which lies in a folder, whatever the network.
      await must([bin('createdb'), '-h', dir, '-p', String(port), '-U', 'inlay', name], {
        env: { PGPASSWORD: password },
      });
      return address(name);
    },
    crash: async () => {
      await control('-m', 'immediate', 'stop');
      await control('-o', options, 'start');
    },
    stop: async () => {
      await control('-m', 'immediate', 'stop');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
