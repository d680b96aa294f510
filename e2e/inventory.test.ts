// What runs, and what ran, told of a real cluster: two namespaces, two contexts of one cluster, a release, a canary, a hand-edited
// Deployment, a moved tag, a server that inlay did not build, a hub that is killed.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Inventory, ServerRow, Timeline } from '../src/inventory/index.ts';
import { type Cluster, cluster } from './cluster.ts';
import { ROOT } from './inlay.ts';

const dir = mkdtempSync(join(tmpdir(), 'inlay-inventory-'));
const [ONE, TWO] = ['inventory-one', 'inventory-two'];
const PORT = 18_090;
const REPOSITORY = 'inventory/iris';
let on: Cluster;
let hub: Bun.Subprocess | undefined;
const env = () => ({ KUBECONFIG: join(dir, 'kubeconfig'), INLAY_LEDGER: dir });
const database = ['--database', join(dir, 'ledger.db')];

async function inlay(...args: string[]): Promise<string> {
  const ran = await on.exec([join(ROOT, 'bin', 'inlay'), ...args, '--insecure-registry', on.registry], { env: env() });
  if (ran.code !== 0) throw new Error(`inlay ${args.join(' ')} ended with ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

async function inventory(...args: string[]): Promise<readonly ServerRow[]> {
  const { servers } = JSON.parse(await inlay('inventory', '--json', ...args)) as Inventory;
  return servers.filter(({ namespace }) => namespace === ONE || namespace === TWO);
}

async function api<T>(path: string): Promise<T> {
  const { stdout } = await on.exec(['curl', '-s', '-m', '10', `http://127.0.0.1:${PORT}${path}`]);
  return JSON.parse(stdout) as T;
}

async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + 60_000;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && fits(answer)) return answer;
    if (performance.now() > end) throw new Error(`it did not come: ${JSON.stringify(answer)?.slice(0, 2000)}`);
    await Bun.sleep(250);
  }
}

const timeline = () => api<Timeline>(`/api/services/first/${ONE}/iris/timeline`);

async function startHub(): Promise<void> {
  hub = Bun.spawn(
    on.command([
      join(ROOT, 'bin', 'inlay'),
      'hub',
      '--all-contexts',
      '--port',
      String(PORT),
      '--registry-interval',
      '1s',
      '--insecure-registry',
      on.registry,
      ...database,
    ]),
    { env: { ...process.env, ...env() }, stdout: 'ignore', stderr: 'inherit' },
  );
  await until(
    () => api<{ total: number }>(`/api/now?namespace=${ONE}`),
    ({ total }) => total > 0,
  );
}

function build(version: string): Promise<string> {
  const project = join(dir, `iris-${version}`);
  cpSync(join(ROOT, 'examples', 'iris'), project, { recursive: true });
  const file = join(project, 'inlay.yaml');
  const text = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/^(version|image|deploy):/.test(line) && !/^ {2}/.test(line))
    .join('\n');
  writeFileSync(
    file,
    `${text}\nversion: "${version}"\nimage: ${on.registry}/${REPOSITORY}\ndeploy: {namespace: ${ONE}, replicas: {initial: 1, min: 1, max: 2}, canary: {steps: [50], interval: 5s, bake: 0s, onInconclusive: pause}}\n`,
  );
  return inlay('build', project, '--push', '--force');
}

beforeAll(async () => {
  on = cluster();
  // Two names for one cluster.
  const config = JSON.parse(await on.kubectl(['config', 'view', '--raw', '--flatten', '-o', 'json'])) as {
    contexts: { name: string; context: object }[];
    'current-context': string;
  };
  const context = config.contexts[0]?.context ?? {};
  config.contexts = ['first', 'second'].map((name) => ({ name, context }));
  config['current-context'] = 'first';
  writeFileSync(join(dir, 'kubeconfig'), JSON.stringify(config));
  await Promise.all([build('1.0.0'), build('1.1.0')]);
  await inlay('deploy', `${on.registry}/${REPOSITORY}:1.0.0`, '--config', join(dir, 'iris-1.0.0', 'inlay.yaml'));
}, 600_000);

afterAll(async () => {
  hub?.kill('SIGKILL');
  await on.kubectl(['delete', 'namespace', ONE, TWO, '--ignore-not-found', '--wait=false']);
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

test('a release is a row with all that its image says', async () => {
  const [iris, ...others] = await inventory();
  expect(others).toEqual([]);
  expect(iris).toMatchObject({
    context: 'first',
    service: 'iris',
    role: 'stable',
    replicas: { ready: 1, desired: 1 },
    model: { name: 'iris', version: '1.0.0' },
    task: 'classification',
    os: 'debian 12',
    drift: [],
    signed: false,
  });
  expect(iris?.libraries.onnxruntime).toBeDefined();
  expect(iris?.release?.actor).toBeDefined();
  expect(await inventory('--library', 'onnxruntime<1.0')).toEqual([]);
  expect((await inventory('--model', 'iris')).length).toBe(1);
}, 60_000);

test('two contexts of one cluster count once', async () => {
  const answer = JSON.parse(await inlay('inventory', '--json', '--all-contexts', '-n', ONE)) as Inventory;
  expect(answer.servers.length).toBe(1);
  expect(answer.warnings.map(({ code }) => code)).toEqual(['SAME_CLUSTER']);
}, 60_000);

test('a server that inlay did not build is a row with what can be known', async () => {
  await on.kubectl(['create', 'namespace', TWO]);
  const pause = `${on.registry}/pause`;
  const tags = JSON.parse((await on.exec(['curl', '-s', `http://${on.registry}/v2/pause/tags/list`])).stdout) as {
    tags: string[];
  };
  await on.kubectl(['create', 'deployment', 'churn', '-n', TWO, `--image=${pause}:${tags.tags[0]}`]);
  await on.kubectl(['set', 'env', 'deployment/churn', '-n', TWO, 'MODEL_PATH=/models/churn.pkl']);
  const rows = await until(
    () => inventory('--unowned'),
    ([row]) => row?.replicas.ready === 1 && row.image.index !== null,
  );
  expect(rows.map(({ service, role, model, drift }) => [service, role, model, drift.map(({ kind }) => kind)])).toEqual([
    ['churn', null, null, ['not-inlay']],
  ]);
}, 90_000);

test('the hub tells a canary, who promoted it, and an edit by hand', async () => {
  await startHub();
  const deploying = inlay(
    'deploy',
    `${on.registry}/${REPOSITORY}:1.1.0`,
    '--config',
    join(dir, 'iris-1.1.0', 'inlay.yaml'),
  ).catch(() => '');
  await until(timeline, ({ intervals }) =>
    intervals.some(({ role, version }) => role === 'canary' && version === '1.1.0'),
  );
  await deploying;
  await until(
    () => api<{ servers: ServerRow[] }>(`/api/now?namespace=${ONE}&role=canary`),
    ({ servers }) => servers[0]?.release?.state === 'paused',
  );
  const { stdout: metrics } = await on.exec(['curl', '-s', `http://127.0.0.1:${PORT}/metrics`]);
  expect(metrics).toContain(`inlay_canary_waiting_seconds{context="first",namespace="${ONE}",service="iris"}`);
  await inlay2('promote', 'iris', '-n', ONE, '--reason', 'looks good');
  const story = await until(timeline, ({ intervals }) =>
    intervals.some(
      ({ role, version, observedTo, verdict }) =>
        role === 'stable' && version === '1.1.0' && observedTo === null && verdict !== null,
    ),
  );
  // A rollout under way is an interval of its own (its pods are mixed): the versions tell the story.
  const versions = story.intervals.filter(({ role }) => role === 'stable').map(({ version }) => version);
  expect(versions.filter((version, i) => version !== versions[i - 1])).toEqual(['1.1.0', '1.0.0']);
  await until(timeline, ({ releases }) => releases.at(-1)?.outcome === 'released');
  // By hand, back to the old image.
  const old = story.releases[0]?.reference ?? '';
  await on.kubectl(['set', 'image', 'deployment/iris', '-n', ONE, `server=${old}`]);
  const edited = await until(
    timeline,
    ({ intervals }) =>
      intervals[0]?.version === '1.0.0' &&
      intervals[0].observedTo === null &&
      intervals[0].drift.includes('differs-from-applied'),
  );
  expect(edited.intervals[0]?.role).toBe('stable');
}, 240_000);

test('a moved tag is told by the hub and by a scan', async () => {
  await build('1.0.0-other');
  await inlay('copy', `${on.registry}/${REPOSITORY}:1.0.0-other`, `${on.registry}/${REPOSITORY}:1.0.0`, '--force');
  await until(timeline, ({ intervals }) => intervals[0]?.drift.includes('tag-moved') === true);
  const [iris] = await inventory('-n', ONE, '--drift');
  // Its pods may still be mixed, from the edit before.
  const kinds = iris?.drift.map(({ kind }) => kind).filter((kind) => kind !== 'mixed');
  expect(kinds?.sort()).toEqual(['differs-from-applied', 'tag-moved']);
}, 120_000);

test('a hub that was killed goes on, and does not claim to have seen what it has not', async () => {
  if (!hub) await startHub();
  await until(timeline, ({ intervals }) => intervals.length > 0);
  hub?.kill('SIGKILL');
  await hub?.exited;
  const before = new Date().toISOString();
  await Bun.sleep(1500);
  await on.kubectl(['scale', 'deployment/churn', '-n', TWO, '--replicas=0']);
  await Bun.sleep(3000);
  await startHub();
  const { gaps, intervals } = await until(timeline, (story) => story.gaps.length > 0);
  expect(gaps.length).toBe(1);
  expect(intervals.filter(({ role }) => role === 'stable').map(({ version }) => version)).toContain('1.0.0');
  const then = JSON.parse(
    await inlay('inventory', '--json', '--at', new Date(Date.parse(before) + 1000).toISOString(), ...database),
  ) as { servers: (ServerRow & { observed: boolean })[] };
  const churn = then.servers.find(({ service }) => service === 'churn');
  expect(churn).toBeDefined();
  expect(churn?.observed).toBe(false);
  // Its pod may take its time to end.
  await until(
    () => api<{ total: number }>(`/api/now?namespace=${TWO}`),
    ({ total }) => total === 0,
  );
}, 120_000);

/** Commands that know no registry. */
async function inlay2(...args: string[]): Promise<void> {
  await on.must([join(ROOT, 'bin', 'inlay'), ...args], { env: env() });
}
