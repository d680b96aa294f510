// Rounds of releases under load: deploy, canary, promote, a pod deleted, a restart, a rollback; and an autoscaler that does its work meanwhile.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { sum } from '../load.ts';
import { RefusalCount } from '../refusals.ts';
import { type Step, until, World } from '../release/world.ts';

/** Five are more than 100 000 requests. */
const ROUNDS = Number(process.env.INLAY_E2E_ROUNDS ?? 5);
/** The shortest in which connections are as short beside a step as in longer ones. */
const INTERVAL_S = 30;
/** The cluster of e2e/cluster, whose node's network can be looked into. */
const own = process.env.INLAY_E2E_REGISTRY === undefined;

let world: World;
beforeAll(async () => {
  world = new World('rounds');
  await world.makeNamespace();
});
afterAll(() => world.close(), 240_000);

const refusalsOf = async (one: World) =>
  RefusalCount.start(
    one.cluster,
    one.namespace,
    await one.kubectl('get', 'service', 'iris', '-o', 'jsonpath={.spec.clusterIP}'),
  );

test(`${ROUNDS} rounds under load: no request fails`, async () => {
  const versions = Array.from({ length: ROUNDS + 1 }, (_, i) => `1.${i}.0`);
  const images: string[] = [];
  for (const version of versions) images.push(await world.image({ version }));
  const config = world.config(
    `replicas: {initial: 4, min: 3, max: 8}, canary: {steps: [20, 50], interval: ${INTERVAL_S}s, bake: 5s, limits: {p99Ratio: 50}}`,
  );
  const deploy = async (i: number) =>
    JSON.parse(await world.must(world.deployArgs(images[i] ?? '', '--config', config, '--json')));
  const first = await deploy(0);
  expect(first.stable.replicas).toEqual({ ready: 4, desired: 4 });
  const refusals = own ? await refusalsOf(world) : undefined;
  const load = await world.load({ rate: 20 });
  const rounds: { steps: Step[]; from: string; to: string }[] = [];
  try {
    for (let i = 1; i <= ROUNDS; i++) {
      const from = versions[i - 1] ?? '';
      const status = await deploy(i);
      expect(status).toMatchObject({ phase: 'idle', stable: { version: versions[i] } });
      rounds.push({ steps: status.steps, from, to: versions[i] ?? '' });
      const [pod = ''] = (await world.kubectl('get', 'pods', '-o', 'name')).trim().split('\n');
      await world.kubectl('delete', pod);
      await world.kubectl('rollout', 'restart', 'deployment/iris');
      await world.kubectl('rollout', 'status', 'deployment/iris', '--timeout=240s');
      await world.must(['rollback', 'iris', '-n', world.namespace]);
      expect((await world.status()).stable?.version).toBe(from);
      // On to the next round from the version that this one released.
      await world.must(world.deployArgs(images[i] ?? '', '--direct', '--json'));
    }
  } finally {
    const seen = await load.stop();
    const refused = await refusals?.stop();
    process.stderr.write(
      `${rounds.length} rounds, ${seen.requests} requests, ${seen.failed} failed, p99 ${seen.p99Ms.toFixed(1)} ms${refused ? `; connections that pods refused ${refused.byPods}, broke off ${refused.brokenOff}, that had no pod by kube-proxy's rules ${refused.byRules}, or one that was gone ${refused.noPod}` : ''}\n`,
    );
    for (const { steps, from, to } of rounds)
      for (const step of steps.filter(({ weight }) => weight)) {
        const end = (Date.parse(step.startedAt ?? '') + (step.tookMs ?? 0)) / 1000;
        const share = (of: 'all' | 'kept') => {
          const inside = seen.seconds.filter(({ at }) => at >= end - INTERVAL_S && at < end - 1);
          const counts = sum(inside.map((second) => second[of]));
          return (100 * (counts[to] ?? 0)) / ((counts[to] ?? 0) + (counts[from] ?? 0));
        };
        process.stderr.write(
          `${to} ${step.name}: ${(100 * (step.weight?.achieved ?? 0)).toFixed(1)} % by pods, ${share('all').toFixed(1)} % by clients, ${share('kept').toFixed(1)} % by 8 keep-alive clients\n`,
        );
      }
    expect([seen.failed, seen.failures]).toEqual([0, []]);
    expect(seen.requests).toBeGreaterThan(ROUNDS * 20_000);
  }
}, 1_800_000);

test('four pods of 500m and 300Mi; the autoscaler reads their CPU, adds pods under load and takes them back', async () => {
  const image = await world.image({ version: '1.0.0', service: 'heavy', kind: 'busy' });
  const config = world.config('replicas: {initial: 4, min: 3, max: 6}, targetCpu: 50', 'heavy');
  const first = JSON.parse(await world.must(world.deployArgs(image, '--config', config, '--json')));
  expect(first.stable.replicas).toEqual({ ready: 4, desired: 4 });
  type Hpa = {
    status: {
      currentReplicas: number;
      currentMetrics?: { resource?: { current?: { averageUtilization?: number } } }[];
    };
  };
  const hpa = async () => (await world.get<Hpa>('hpa', 'heavy')).status;
  const cpu = async () => (await hpa()).currentMetrics?.[0]?.resource?.current?.averageUtilization;
  await until('the CPU of its pods', async () => (await cpu()) !== undefined, 120);
  await until('no more pods than replicas.min', async () => (await hpa()).currentReplicas === 3, 180);
  const load = await world.load({ service: 'heavy', rate: 15 });
  const most = await until(
    'more pods',
    async () => {
      const { currentReplicas } = await hpa();
      return currentReplicas > 3 && currentReplicas;
    },
    240,
  );
  process.stderr.write(`the autoscaler went to ${most} pods at ${await cpu()} % of their CPU\n`);
  const seen = await load.stop();
  await until('pods taken back', async () => (await hpa()).currentReplicas === 3, 240);
  expect([seen.failed, seen.failures]).toEqual([0, []]);
}, 900_000);
