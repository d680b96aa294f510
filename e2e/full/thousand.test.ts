// The inventory of a real API server with a thousand Deployments of three pods each, which no node has room for.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Inventory, ServerRow } from '../../src/inventory/index.ts';
import { ROOT } from '../inlay.ts';
import { until, World } from '../release/world.ts';

const COUNT = 1000;
const PODS = 3 * COUNT;
const PORT = 18_191;

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
  ) as { items: { kind: string; metadata: { name: string }; spec: { template: { spec: object } } }[] };
  const [deployment] = template.items.filter(({ kind }) => kind === 'Deployment');
  if (!deployment) throw new Error('inlay manifests has printed no Deployment');
  const items = Array.from({ length: COUNT }, (_, i) => ({
    ...deployment,
    metadata: { ...deployment.metadata, name: `iris-${i}` },
    spec: {
      ...deployment.spec,
      replicas: 3,
      // Nobody schedules them: they are objects of the API server alone.
      template: { ...deployment.spec.template, spec: { ...deployment.spec.template.spec, schedulerName: 'nobody' } },
    },
  }));
  await world.cluster.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await until(
    `${PODS} pods`,
    async () => (await world.kubectl('get', 'pods', '-o', 'name')).trim().split('\n').length >= PODS,
    400,
  );
}, 900_000);
afterAll(() => world.close(), 600_000);

test('a scan has each server once, and each image looked up once', async () => {
  const inlay = [join(ROOT, 'bin', 'inlay'), 'inventory', '-n', world.namespace, '--json'];
  const began = performance.now();
  const stdout = await world.cluster.must([...inlay, '--insecure-registry', world.cluster.registry], {
    env: { INLAY_HOME: join(world.dir, 'empty') },
  });
  const ms = performance.now() - began;
  const { servers } = JSON.parse(stdout) as Inventory;
  process.stderr.write(
    `${servers.length} servers of ${PODS} pods in the real API server: ${(ms / 1000).toFixed(2)} s\n`,
  );
  expect(servers).toHaveLength(COUNT);
  expect(new Set(servers.map(({ model }) => `${model?.name}:${model?.version}`))).toEqual(new Set(['iris:1.0.0']));
});

test('a hub hears of a change without listing anew', async () => {
  const hub = world.start([
    ...['hub', '--port', String(PORT), '--database', join(world.dir, 'ledger.db')],
    ...['--insecure-registry', world.cluster.registry],
  ]);
  try {
    const ask = async () => {
      const { code, stdout } = await world.cluster.exec([
        'curl',
        '-fsS',
        `http://127.0.0.1:${PORT}/api/now?limit=1&namespace=${world.namespace}`,
      ]);
      return code === 0 ? (JSON.parse(stdout) as { total: number; servers: ServerRow[] }) : undefined;
    };
    await until('all in the hub', async () => (await ask())?.total === COUNT);
    const began = performance.now();
    await world.kubectl('delete', 'deployment', 'iris-500', '--wait=false');
    await until('one fewer', async () => (await ask())?.total === COUNT - 1, 60);
    process.stderr.write(`the hub knew of a change after ${((performance.now() - began) / 1000).toFixed(2)} s\n`);
  } finally {
    hub.kill();
    await hub.exited;
  }
});
