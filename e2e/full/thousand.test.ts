// The inventory of a real API server with a thousand Deployments of three pods each, which no node has room for.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Inventory, ServerRow } from '../../src/inventory/index.ts';
import { until, World } from '../release/world.ts';

const COUNT = 1000;
const PODS = 3 * COUNT;
const PORT = 18_191;

interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
}

interface Deployment {
  readonly kind: string;
  readonly metadata: Labelled & { readonly name: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: { readonly metadata: Labelled; readonly spec: object };
  };
}

let world: World;
let image: string;
beforeAll(async () => {
  world = new World('thousand');
  await world.makeNamespace();
  image = await world.image({ version: '1.0.0' });
  const { digest } = JSON.parse(
    await world.must(['inspect', image, '--json', '--insecure-registry', world.cluster.registry]),
  ) as { digest: string };
  const template = JSON.parse(
    await world.must([
      ...['manifests', join(world.dir, 'iris-1.0.0'), '--image', `${image}@${digest}`, '--json'],
      ...['-n', world.namespace],
    ]),
  ) as { items: Deployment[] };
  const [deployment] = template.items.filter(({ kind }) => kind === 'Deployment');
  if (!deployment) throw new Error('inlay manifests has printed no Deployment');
  const items = Array.from({ length: COUNT }, (_, i) => named(deployment, `iris-${i}`));
  await world.cluster.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await until(
    `${PODS} pods`,
    async () => (await world.kubectl('get', 'pods', '-o', 'name')).trim().split('\n').length >= PODS,
    400,
  );
}, 900_000);
afterAll(() => world.close(), 600_000);

/** The Deployment as a service of another name, whose pods nobody schedules: they are objects of the API server alone. */
function named({ kind, metadata, spec, ...rest }: Deployment, name: string) {
  const label = { 'app.kubernetes.io/name': name };
  const { selector, template } = spec;
  return {
    ...rest,
    kind,
    metadata: { ...metadata, name, labels: { ...metadata.labels, ...label } },
    spec: {
      ...spec,
      replicas: 3,
      selector: { matchLabels: { ...selector.matchLabels, ...label } },
      template: {
        metadata: { ...template.metadata, labels: { ...template.metadata.labels, ...label } },
        spec: { ...template.spec, serviceAccountName: 'default', schedulerName: 'nobody' },
      },
    },
  };
}

test('a scan has each server once, and each image looked up once', async () => {
  const scanning = world.start([
    ...['inventory', '-n', world.namespace, '--json', '--insecure-registry', world.cluster.registry],
  ]);
  const began = performance.now();
  const [stdout, code] = await Promise.all([new Response(scanning.stdout).text(), scanning.exited]);
  const ms = performance.now() - began;
  expect(code).toBe(0);
  const { servers } = JSON.parse(stdout) as Inventory;
  const memory = (scanning.resourceUsage()?.maxRSS ?? 0) / 1e6;
  process.stderr.write(
    `${servers.length} servers of ${PODS} pods in the real API server: ${(ms / 1000).toFixed(2)} s, ${memory.toFixed(0)} MB\n`,
  );
  expect(new Set(servers.map(({ service }) => service)).size).toBe(COUNT);
  expect(servers).toHaveLength(COUNT);
  expect(new Set(servers.map(({ model }) => `${model?.name}:${model?.version}`))).toEqual(new Set(['iris:1.0.0']));
});

test('a hub hears of a change without listing anew', async () => {
  const hub = world.start([
    ...['hub', '--port', String(PORT), '--database', join(world.dir, 'ledger.db')],
    ...['--insecure-registry', world.cluster.registry],
  ]);
  try {
    const get = (path: string) => world.cluster.exec(['curl', '-fsS', `http://127.0.0.1:${PORT}${path}`]);
    const ask = async () => {
      const { code, stdout } = await get(`/api/now?limit=1&namespace=${world.namespace}`);
      return code === 0 ? (JSON.parse(stdout) as { total: number; servers: ServerRow[] }) : undefined;
    };
    const metric = async (name: string) =>
      Number(new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec((await get('/metrics')).stdout)?.[1]);
    await until('all in the hub', async () => (await ask())?.total === COUNT);
    const lists = await metric('inlay_hub_lists_total');
    expect(lists).toBeGreaterThan(0);
    const began = performance.now();
    await world.kubectl('delete', 'deployment', 'iris-500', '--wait=false');
    await until('one fewer', async () => (await ask())?.total === COUNT - 1, 60);
    process.stderr.write(
      `the hub listed in ${await metric('inlay_hub_scan_seconds')} s and knew of a change after ${((performance.now() - began) / 1000).toFixed(2)} s\n`,
    );
    expect(await metric('inlay_hub_lists_total')).toBe(lists);
  } finally {
    hub.kill();
    await hub.exited;
  }
});
