// A release that nobody's laptop judges: a Job in the cluster, with inlay's own image, under the documented Role; and releases by
// states in Git, judged by `inlay verdict`.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NAN_ROW } from './models.ts';
import { MIX, until, World } from './world.ts';

const DEPLOY =
  'replicas: {initial: 2, min: 2, max: 4}, canary: {steps: [50], interval: 15s, bake: 0s, limits: {errorRate: 0.02}}';
const SERVER = '{cpu: 200m, memory: 300Mi}';

let world: World;
let config: string;

beforeAll(async () => {
  world = new World('detach');
  await world.makeNamespace();
  config = world.config(DEPLOY);
});
afterAll(() => world.close());

test('without the account that the Job runs as, nothing is begun, and it says who makes it', async () => {
  const image = await world.image({ version: '1.0.0', server: SERVER });
  const { code, stderr } = await world.deploy(image, '--config', config, '--detach');
  expect([code, stderr]).toEqual([3, expect.stringContaining('error CLUSTER_NOT_FOUND')]);
  expect(stderr).toContain(`inlay manifests --roles releaser -n ${world.namespace}`);
});

test('a Job goes on with a first release and with a canary; status follows it', async () => {
  const rights = await world.must(['manifests', '--roles', 'releaser', '-n', world.namespace]);
  await world.cluster.kubectl(['apply', '--server-side', '-f', '-'], rights);

  const first = await world.deploy(
    `${world.cluster.registry}/${world.namespace}/iris:1.0.0`,
    '--config',
    config,
    '--detach',
  );
  expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('goes on with it')]);
  await until('1.0.0 is stable', async () => (await world.status()).phase === 'idle');

  const load = await world.load();
  const image = await world.image({ version: '1.0.1', server: SERVER });
  await world.deploy(image, '--config', config, '--detach');
  expect((await world.status()).holder).toMatch(/^Job inlay-iris-2$|process 1/);
  await world.must(['status', 'iris', '-n', world.namespace, '--watch']);
  const { failed, failures } = await load.stop();
  const status = await world.status();
  expect([status.phase, status.stable?.version, status.release?.outcome]).toEqual(['idle', '1.0.1', 'released']);
  expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
});

test('a canary that answers some requests with NaN is backed out by the Job, and the journal says why', async () => {
  const load = await world.load({ rows: [...MIX, NAN_ROW] });
  const image = await world.image({ version: '1.0.2', kind: 'nan', server: SERVER });
  await world.deploy(image, '--config', config, '--detach');
  await until('the release has ended', async () => (await world.release())?.state === 'ended');
  await load.stop();
  const release = await world.release();
  expect([release?.outcome, release?.reason]).toEqual(['backed-out', expect.stringContaining('NaN')]);
  expect((await world.status()).stable?.version).toBe('1.0.1');
  // The next release takes the Job of this one away; until then it can be looked at.
  expect(await world.kubectl('logs', 'job/inlay-iris-3')).toContain('RELEASE_FAILED');
});

test('states for Git: kubectl applies each, and inlay verdict judges the canary that runs', async () => {
  const image = await world.image({ version: '1.0.3', server: SERVER });
  const folder = join(world.dir, 'git');
  await world.must(world.deployArgs(image, '--config', config, '--write', folder));
  expect(readdirSync(folder).sort()).toEqual(['1-canary-50', '2-promote']);
  expect(existsSync(join(folder, '1-canary-50', 'kustomization.yaml'))).toBe(true);

  await world.cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-k', join(folder, '1-canary-50')]);
  await world.kubectl('rollout', 'status', 'deployment/iris-canary', '--timeout=90s');
  const load = await world.load();
  const judged = await world.inlay(['verdict', 'iris', '-n', world.namespace, '--for', '15s', '--json']);
  await load.stop();
  expect([judged.code, JSON.parse(judged.stdout).verdict.outcome]).toEqual([0, 'pass']);
  // Without requests the numbers say nothing, and that is no yes.
  const silent = await world.inlay(['verdict', 'iris', '-n', world.namespace, '--for', '3s', '--json']);
  expect([silent.code, JSON.parse(silent.stdout).verdict.outcome]).toEqual([1, 'inconclusive']);

  await world.cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-k', join(folder, '2-promote')]);
  await world.kubectl('rollout', 'status', 'deployment/iris', '--timeout=90s');
  const status = await world.status();
  expect(status.drift).toEqual([
    expect.stringContaining('which inlay has not released'),
    'there is a canary of no release',
    // Who took the fields over from inlay, which had applied the release before.
    expect.stringContaining('kubectl has changed spec.template.'),
  ]);
});
