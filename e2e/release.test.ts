// A release on a real cluster, under load: what its clients see, what its users may do, and what is left when it is cut short.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PERMISSIONS } from '../src/cluster/index.ts';
import { sum } from './load.ts';
import { NAN_ROW } from './release/models.ts';
import { MIX, STABLE_ALONE, until, World } from './release/world.ts';

// A machine with other work has a p99 of its own.
const pace = (steps: number[], interval: number) =>
  `replicas: {initial: 4, min: 3, max: 6}, canary: {steps: [${steps}], interval: ${interval}s, bake: ${interval / 2}s, limits: {p99Ratio: 50}}`;

let world: World;
let images: Record<'1.0.0' | '1.1.0' | '1.2.0', string>;
let config: string;

beforeAll(async () => {
  world = new World('release');
  await world.makeNamespace();
  config = world.config(pace([20, 50], 20));
  images = {
    '1.0.0': await world.image({ version: '1.0.0' }),
    '1.1.0': await world.image({ version: '1.1.0' }),
    '1.2.0': await world.image({ version: '1.2.0', kind: 'nan' }),
  };
}, 300_000);
afterAll(() => world.close(), 180_000);

/** A kubeconfig of somebody who has one Role of `inlay manifests --roles`, and nothing else. */
async function userWith(command: keyof typeof PERMISSIONS): Promise<string> {
  const user = `user-${command}`;
  const roles = await world.must(['manifests', '--roles', command, '-n', world.namespace]);
  const role = roles.split('---\n').filter((one) => one.includes('kind: Role\n'));
  await world.cluster.kubectl(['apply', '--server-side', '-f', '-'], role.join('---\n'));
  const file = await newcomer(user);
  anybody ??= new Set(await allowed(file));
  const bind = [`--role=inlay-${command}`, `--serviceaccount=${world.namespace}:${user}`];
  await world.kubectl('create', 'rolebinding', user, ...bind);
  return file;
}

/** What every service account may do. */
let anybody: ReadonlySet<string> | undefined;

/** A kubeconfig of somebody who has no Role yet. */
async function newcomer(user: string): Promise<string> {
  await world.kubectl('create', 'serviceaccount', user);
  const token = (await world.kubectl('create', 'token', user, '--duration=1h')).trim();
  const view = JSON.parse(
    await world.cluster.kubectl(['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json']),
  );
  const name = view.contexts[0].name as string;
  view.users = [{ name: user, user: { token } }];
  view.contexts = [{ name, context: { ...view.contexts[0].context, user } }];
  const file = join(world.dir, `${user}.conf`);
  writeFileSync(file, JSON.stringify(view));
  return file;
}

/** Everything that a user may do in the namespace, as the API server says it. */
async function allowed(kubeconfig: string): Promise<string[]> {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    spec: { namespace: world.namespace },
  };
  const answer = await world.cluster.kubectl(
    ['--kubeconfig', kubeconfig, 'create', '--raw', path, '-f', '-'],
    JSON.stringify(review),
  );
  type Rule = { verbs: string[]; apiGroups: string[]; resources: string[] };
  const { resourceRules } = (JSON.parse(answer) as { status: { resourceRules: Rule[] } }).status;
  return resourceRules
    .flatMap(({ verbs, apiGroups, resources }) =>
      verbs.flatMap((verb) => apiGroups.flatMap((group) => resources.map((one) => `${verb} ${named(group, one)}`))),
    )
    .filter((one) => !anybody?.has(one))
    .sort();
}

function named(group: string, resource: string): string {
  const [name = '', part] = resource.split('/');
  return `${name}${group === '' ? '' : `.${group}`}${part === undefined ? '' : `/${part}`}`;
}

const documented = (command: keyof typeof PERMISSIONS) =>
  Object.entries(PERMISSIONS[command].permissions)
    .flatMap(([resource, verbs]) => verbs.split(' ').map((verb) => `${verb} ${resource}`))
    .sort();

test('a round under load by somebody with the Role of deploy alone: no request fails, and the weights are what was asked', async () => {
  const env = { KUBECONFIG: await userWith('deploy') };
  expect(await allowed(env.KUBECONFIG)).toEqual(documented('deploy'));
  const deploy = (image: string) => world.inlay(world.deployArgs(image, '--config', config, '--json'), env);
  const first = await deploy(images['1.0.0']);
  expect([first.code, first.stderr]).toEqual([0, '']);
  expect(JSON.parse(first.stdout)).toMatchObject({
    service: 'iris',
    namespace: world.namespace,
    phase: 'idle',
    stable: { version: '1.0.0', replicas: { ready: 4, desired: 4 } },
    steps: [{ name: 'stable', status: 'done' }],
  });
  const load = await world.load();
  const second = await deploy(images['1.1.0']);
  expect([second.code, second.stderr]).toEqual([0, '']);
  const status = JSON.parse(second.stdout);
  expect(status).toMatchObject({ phase: 'idle', stable: { version: '1.1.0' }, verdict: { outcome: 'pass' } });
  expect(status.canary).toBeUndefined();
  const [pod] = (await world.kubectl('get', 'pods', '-o', 'name')).trim().split('\n');
  await world.kubectl('delete', pod ?? '');
  await world.kubectl('rollout', 'restart', 'deployment/iris');
  await world.kubectl('rollout', 'status', 'deployment/iris', '--timeout=180s');
  const back = await world.inlay(['rollback', 'iris', '-n', world.namespace, '--reason', 'a try', '--json'], env);
  expect([back.code, back.stderr]).toEqual([0, '']);
  expect(JSON.parse(back.stdout)).toMatchObject({ phase: 'idle', stable: { version: '1.0.0' } });
  const seen = await load.stop();
  expect([seen.failed, seen.failures]).toEqual([0, []]);
  expect(seen.requests).toBeGreaterThan(5000);
  for (const step of status.steps.filter((one: { weight?: unknown }) => one.weight)) {
    const end = (Date.parse(step.startedAt) + step.tookMs) / 1000;
    const counts = (of: 'all' | 'kept') => {
      const inside = seen.seconds.filter(({ at }) => at >= end - 20 && at < end - 1);
      const versions = sum(inside.map((second) => second[of]));
      return (versions['1.1.0'] ?? 0) / ((versions['1.1.0'] ?? 0) + (versions['1.0.0'] ?? 0));
    };
    process.stderr.write(
      `${step.name}: ${(100 * step.weight.achieved).toFixed(1)} % counted by pods, ${(100 * counts('all')).toFixed(1)} % by clients, ${(100 * counts('kept')).toFixed(1)} % by those that keep their connection\n`,
    );
    expect(Math.abs(step.weight.achieved - step.weight.asked / 100)).toBeLessThan(0.08);
  }
  process.stderr.write(`${seen.requests} requests, ${seen.failed} failed, p99 ${seen.p99Ms.toFixed(1)} ms\n`);
}, 420_000);

test('a canary whose model answers NaN ends by verdict, with its evidence, and stable as it was', async () => {
  const before = await world.get<{ metadata: { generation: number } }>('deployment', 'iris');
  const load = await world.load({ rows: [...MIX, NAN_ROW] });
  const ended = await world.deploy(images['1.2.0']);
  const seen = await load.stop();
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('RELEASE_FAILED');
  expect(ended.stderr).toMatch(/NaN .* of .* requests.*: fail/);
  const status = await world.status();
  expect(status).toMatchObject({ phase: 'idle', stable: { version: '1.0.0' }, verdict: { outcome: 'fail' } });
  expect(status.verdict?.reasons.find(({ metric }) => metric === 'nonFinite')?.outcome).toBe('fail');
  expect(status.release).toMatchObject({ outcome: 'backed-out' });
  const after = await world.get<{ metadata: { generation: number } }>('deployment', 'iris');
  expect(after.metadata.generation).toBe(before.metadata.generation);
  expect(seen.versions['1.2.0']).toBeGreaterThan(0);
  expect(await world.objects()).not.toContain('Deployment/iris-canary');
}, 240_000);

test('status, history, logs and forward, each by somebody with its Role alone', async () => {
  const of = async (command: 'status' | 'history' | 'logs' | 'forward') => {
    const KUBECONFIG = await userWith(command);
    expect([command, await allowed(KUBECONFIG)]).toEqual([command, documented(command)]);
    return { KUBECONFIG };
  };
  const here = ['iris', '-n', world.namespace];
  const status = await world.inlay(['status', ...here, '--json'], await of('status'));
  expect([status.code, status.stderr, JSON.parse(status.stdout).service]).toEqual([0, '', 'iris']);
  const history = await world.inlay(['history', ...here, '--json'], await of('history'));
  expect([history.code, history.stderr]).toEqual([0, '']);
  const { releases } = JSON.parse(history.stdout) as { releases: Record<string, string>[] };
  expect(releases.map(({ version, outcome }) => [version, outcome])).toEqual([
    ['1.2.0', 'backed-out'],
    ['1.0.0', 'released'],
    ['1.1.0', 'released'],
    ['1.0.0', 'released'],
  ]);
  for (const one of releases)
    expect(Object.keys(one)).toEqual(expect.arrayContaining(['version', 'reference', 'actor', 'from']));
  const logs = await world.inlay(['logs', ...here, '--tail', '50'], await of('logs'));
  expect([logs.code, logs.stderr]).toEqual([0, '']);
  expect(logs.stdout).toContain('serving');
  const env = await of('forward');
  const forward = Bun.spawn(
    world.cluster.command([
      join(import.meta.dir, '..', 'bin', 'inlay'),
      'forward',
      ...here,
      '--port',
      '18787',
      '--json',
    ]),
    { env: { ...process.env, ...env }, stdin: 'ignore', stdout: 'ignore', stderr: 'inherit' },
  );
  const get = ['curl', '-fsS', 'http://127.0.0.1:18787/docs'];
  const page = await until('the docs page', async () => (await world.cluster.exec(get)).stdout || undefined, 30);
  expect(page).toContain('swagger');
  forward.kill('SIGINT');
  expect(await forward.exited).toBe(0);
}, 180_000);

test('without traffic a canary waits; abort takes it back, promote makes it stable', async () => {
  const quick = world.config('replicas: {initial: 2, min: 2, max: 4}, canary: {steps: [50], interval: 5s, bake: 0s}');
  const paused = await world.deploy(images['1.1.0'], '--config', quick);
  expect([paused.code, paused.stderr.includes('RELEASE_PAUSED')]).toEqual([1, true]);
  expect(await world.status()).toMatchObject({
    phase: 'paused',
    canary: { version: '1.1.0', weight: { asked: 0.5 } },
    verdict: { outcome: 'inconclusive' },
    steps: [{ name: 'canary 50 %', status: 'paused' }, { status: 'pending' }, { status: 'pending' }],
  });
  const aborted = await world.inlay(['abort', 'iris', '-n', world.namespace, '--reason', 'not today', '--json']);
  expect([aborted.code, aborted.stderr]).toEqual([0, '']);
  expect(JSON.parse(aborted.stdout)).toMatchObject({ phase: 'idle', stable: { version: '1.0.0' } });
  expect((await world.release())?.reason).toContain('not today');
  expect((await world.deploy(images['1.1.0'], '--config', quick)).code).toBe(1);
  const promoted = await world.inlay(['promote', 'iris', '-n', world.namespace, '--json']);
  expect([promoted.code, promoted.stderr]).toEqual([0, '']);
  expect(JSON.parse(promoted.stdout)).toMatchObject({ phase: 'idle', stable: { version: '1.1.0' } });
  const again = await world.inlay(['promote', 'iris', '-n', world.namespace]);
  expect([again.code, again.stderr.includes('NOTHING_TO_DO')]).toEqual([1, true]);
}, 300_000);

test('a CLI that is killed leaves a release that status calls abandoned, and the same command goes on with', async () => {
  const load = await world.load();
  const quicker = world.config(pace([50], 10));
  const child = world.start(world.deployArgs(images['1.0.0'], '--config', quicker));
  await until('a canary that is watched', async () => {
    const status = await world.status();
    return status.steps[0]?.weight?.replicas !== undefined && status.phase === 'releasing';
  });
  const busy = await world.deploy(images['1.0.0'], '--config', quicker);
  expect([busy.code, busy.stderr.includes('RELEASE_BUSY')]).toEqual([1, true]);
  child.kill('SIGKILL');
  await child.exited;
  await until('abandoned', async () => (await world.status()).phase === 'abandoned', 30);
  const on = await world.deploy(images['1.0.0'], '--config', quicker, '--json');
  const seen = await load.stop();
  expect([on.code, on.stderr]).toEqual([0, '']);
  expect(JSON.parse(on.stdout)).toMatchObject({ phase: 'idle', stable: { version: '1.0.0' } });
  expect([seen.failed, seen.failures]).toEqual([0, []]);
  expect(await world.objects()).toEqual(STABLE_ALONE);
}, 300_000);
