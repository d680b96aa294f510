// A hub of what cluster-server.ts shows, with its dashboard, in a process of its own. Arguments: the address of the API, how many rows to wait for.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kube } from '../../src/cluster/index.ts';
import { Catalogue, Hub, openLedger, serveHub } from '../../src/inventory/index.ts';
import { Registry, RegistryReader } from '../../src/registry/index.ts';

const dir = await mkdtemp(join(tmpdir(), 'inlay-bench-'));
const abort = new AbortController();
const reader = new RegistryReader(new Registry({ env: {}, homeDir: dir }), abort.signal);
const connection = {
  context: 'bench',
  namespace: 'default',
  server: new URL(process.argv[2] as string),
  proxy: undefined,
  authenticate: async () => ({ tls: {}, headers: {} }),
};
const ledger = await openLedger(`sqlite://${dir}/ledger.db`);
const hub = new Hub({
  kubes: [new Kube(connection, { signal: abort.signal })],
  catalogue: new Catalogue({ reader, cacheDir: join(dir, 'cache'), layerBytes: 0 }),
  ledger,
  registryIntervalMs: 3_600_000,
  signal: abort.signal,
});
const server = serveHub({
  hub,
  reader,
  contractOf: async () => null,
  registryIntervalMs: 3_600_000,
  host: '127.0.0.1',
  port: 0,
});
const running = hub.run();
while (hub.rows.size < Number(process.argv[3]) || !hub.writes) await Bun.sleep(50);
console.log(JSON.stringify({ url: server.url, rows: hub.rows.size }));
process.on('SIGTERM', async () => {
  abort.abort();
  await running;
  await server.stop();
  await ledger[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
  process.exit(0);
});
