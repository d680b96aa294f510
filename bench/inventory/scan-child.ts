// Scans what cluster-server.ts shows, then follows it: in a process of its own, whose memory is then its own. Argument: the address of the API.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kube } from '../../src/cluster/index.ts';
import { Catalogue, Hub, openLedger, scan } from '../../src/inventory/index.ts';
import { Registry, RegistryReader } from '../../src/registry/index.ts';

const server = new URL(process.argv[2] as string);
const dir = await mkdtemp(join(tmpdir(), 'inlay-bench-'));
const abort = new AbortController();
const registry = new Registry({ env: {}, homeDir: dir });
const reader = new RegistryReader(registry, abort.signal);
const connection = {
  context: 'bench',
  namespace: 'default',
  server,
  proxy: undefined,
  authenticate: async () => ({ tls: {}, headers: {} }),
};
const kubes = [new Kube(connection, { signal: abort.signal })];
const peakMb = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1000;
const counts = async (): Promise<Record<string, number>> =>
  (await fetch(new URL('/counts', server))).json() as Promise<Record<string, number>>;
const of = (cacheDir: string) => new Catalogue({ reader, cacheDir: join(dir, cacheDir), layerBytes: 0 });

const first = of('a');
let began = performance.now();
const cpuS = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const cpuBefore = cpuS();
const { servers } = await scan({ kubes, catalogue: first });
const scanCpuS = cpuS() - cpuBefore;
const scanS = (performance.now() - began) / 1000;
const scanMb = peakMb();
began = performance.now();
await scan({ kubes, catalogue: of('a') });
const againS = (performance.now() - began) / 1000;
const asked = await counts();

const ledger = await openLedger(`sqlite://${dir}/ledger.db`);
const catalogue = of('a');
const hub = new Hub({ kubes, catalogue, ledger, registryIntervalMs: 3_600_000, signal: abort.signal });
began = performance.now();
const running = hub.run();
while (hub.rows.size < servers.length) await Bun.sleep(20);
const hubS = (performance.now() - began) / 1000;
await Bun.sleep(3000);
const seenMs: number[] = [];
for (let i = 0; i < 10; i++) {
  const before = performance.now();
  const seen = new Promise<void>((resolve) => {
    const stop = hub.subscribe(({ changed }) => {
      if (
        !changed.some(
          ({ service, image }) =>
            service === `svc-${i}` && image.reference.includes('/model-') && !image.reference.includes(`/model-${i}:`),
        )
      )
        return;
      stop();
      resolve();
    });
  });
  await fetch(new URL(`/move/${i}`, server), { method: 'POST' });
  await seen;
  seenMs.push(performance.now() - before);
}
const after = await counts();
console.log(
  JSON.stringify({
    servers: servers.length,
    known: servers.filter(({ model }) => model !== null).length,
    scanS,
    scanCpuS,
    scanMb,
    againS,
    lookups: first.lookups,
    asked,
    hubS,
    hubMb: peakMb(),
    changeMs: Math.max(...seenMs),
    lists: after['list pods'],
    after,
  }),
);
abort.abort();
await running;
await ledger[Symbol.asyncDispose]();
await rm(dir, { recursive: true, force: true });
process.exit(0);
