// One plan in a process of its own, whose memory is then its own. Arguments: API HOST REPOSITORIES DIR.
import { readFileSync } from 'node:fs';
import { Kube } from '../../src/cluster/index.ts';
import { Clusters, planPrune } from '../../src/prune/index.ts';
import { Registry } from '../../src/registry/index.ts';

const [server = '', host = '', repositories = '200', dir = ''] = process.argv.slice(2);
const connection = {
  context: 'bench',
  namespace: 'default',
  server: new URL(server),
  proxy: undefined,
  authenticate: async () => ({ tls: {}, headers: {} }),
};
const began = performance.now();
await using registry = new Registry({ env: {}, homeDir: dir });
const declared = new Set(['bench']);
const clusters = await Clusters.open({
  contexts: [new Kube(connection)],
  named: true,
  others: async () => [],
  declared,
  keepLast: 3,
});
const { document } = await planPrune({
  registry,
  targets: Array.from({ length: Number(repositories) }, (_, i) => ({
    repository: `${host}/ml/model-${i}`,
    policy: { keepLast: 3, graceMs: 0, keepTags: [] },
    clusters: ['bench'],
    declaredIn: 'bench',
  })),
  clusters,
  locked: [],
  dir,
  now: Date.now(),
});
const tookS = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    tookS,
    cpuS: (user + system) / 1e6,
    peakMb: Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1000,
    keeps: document.keep.length,
    drops: document.drop.length,
    freeBytes: document.freeBytes,
    gaps: document.gaps,
  }),
);
