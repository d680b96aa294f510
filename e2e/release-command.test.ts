// From a folder with a train.py to a canaried, promoted release, with `init` and `release` alone; and models that must not become stable.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReleaseSummary } from '../src/release/index.ts';
import { must, ROOT } from './inlay.ts';
import { MIX, World } from './release/world.ts';

// One pod of each role: a canary of half the requests.
const DEPLOY = `server: {cpu: 200m, memory: 300Mi}
deploy: {replicas: {initial: 1, min: 1, max: 2}, canary: {steps: [50], interval: 20s, bake: 5s, onInconclusive: fail, limits: {p99Ratio: 50}}}
`;

let world: World;
let project: string;
const env = { INLAY_HOME: process.env.INLAY_E2E_HOME ?? join(process.env.HOME ?? '/root', '.cache', 'inlay-e2e') };
const inlay = join(ROOT, 'bin', 'inlay');

beforeAll(async () => {
  world = new World('train');
  await world.makeNamespace();
  project = join(world.dir, 'iris');
  mkdirSync(project);
  cpSync(join(ROOT, 'python', 'inlay_golden'), join(project, 'inlay_golden'), { recursive: true });
  const example = join(ROOT, 'examples', 'iris');
  writeFileSync(
    join(project, 'requirements.txt'),
    readFileSync(join(example, 'requirements.txt'), 'utf8').replace(/^\.\.\/\.\.\/python.*$/m, ''),
  );
  cpSync(join(example, 'train.py'), join(project, 'train.py'));
}, 60_000);
afterAll(() => world.close(), 180_000);

function edit(file: string, from: RegExp, to: string): void {
  const path = join(project, file);
  const text = readFileSync(path, 'utf8');
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  writeFileSync(path, edited);
}

async function release(...more: string[]): Promise<{ code: number; summary: ReleaseSummary; stderr: string }> {
  const page = join(world.dir, 'summary.md');
  const flags = ['-n', world.namespace, '--insecure-registry', world.cluster.registry, '--summary', page, '--json'];
  const { code, stdout, stderr } = await world.inlay(['release', project, ...flags, ...more]);
  if (stdout === '') throw new Error(stderr);
  const summary = JSON.parse(stdout) as ReleaseSummary;
  expect(readFileSync(page, 'utf8')).toContain(
    `iris${summary.image ? ` ${summary.image.version}` : ''}: ${summary.outcome}`,
  );
  return { code, summary, stderr };
}

const statusOf = ({ steps }: ReleaseSummary) => Object.fromEntries(steps.map(({ name, status }) => [name, status]));

test('init trains in an environment of its own, and release takes the model to the cluster', async () => {
  // What needs the way out, which the cluster's network has not: pip and apt.
  const image = `${world.cluster.registry}/${world.namespace}/iris`;
  await must([inlay, 'init', project, '--train', '--name', 'iris', '--image', image], { env });
  await must([inlay, 'lock', project], { env });
  writeFileSync(join(project, 'inlay.yaml'), readFileSync(join(project, 'inlay.yaml'), 'utf8') + DEPLOY);

  const { code, summary } = await release();
  expect([code, summary.outcome, summary.image?.version, summary.against]).toEqual([0, 'released', '0.1.0', undefined]);
  // The same training gives the same image: an earlier run of this test may have asked it.
  expect(['done', 'kept']).toContain(statusOf(summary).golden ?? '');
  expect(statusOf(summary)).toMatchObject({ train: 'kept', push: 'done', deploy: 'done' });
  expect((await world.status()).stable?.version).toBe('0.1.0');
}, 300_000);

test('a model of another seed: only its layer travels, the canary is judged, history has both', async () => {
  edit('train.py', /^SEED = \d+$/m, 'SEED = 7');
  const load = await world.load({ rows: MIX });
  const { code, summary } = await release();
  const served = await load.stop();
  expect([code, summary.outcome, summary.image?.version]).toEqual([0, 'released', '0.1.1']);
  expect(summary.against?.version).toBe('0.1.0');
  expect(summary.next).toMatchObject({ level: 'patch' });
  expect(statusOf(summary)).toMatchObject({ train: 'done', push: 'done', deploy: 'done' });
  expect(summary.verdict?.outcome).toBe('pass');
  expect(summary.undo).toContain('inlay rollback iris');
  expect(served.failures ?? []).toEqual([]);

  const base = summary.image?.reference.replace(/:[^:]*$/, '');
  const diff = await world.inlay(['diff', `${base}:0.1.0`, `${base}:0.1.1`, '--json']);
  const { layers, newBytes } = JSON.parse(diff.stdout) as { layers: { to: { kind: string }[] }; newBytes: number };
  expect(layers.to.map(({ kind }) => kind)).toEqual(['model']);
  // The layer, and what says what the image is: manifests, SBOM, provenance.
  expect(summary.sentBytes).toBeLessThan(newBytes + 200_000);

  const history = JSON.parse(await world.must(['history', 'iris', '-n', world.namespace, '--json']));
  expect(history.releases.map(({ version }: { version: string }) => version)).toEqual(['0.1.1', '0.1.0']);
}, 300_000);

test('what is released already is not released again', async () => {
  const { code, summary } = await release('--no-train');
  expect([code, summary.outcome, summary.image?.version]).toEqual([0, 'unchanged', '0.1.1']);
  expect(statusOf(summary)).toMatchObject({
    train: 'skipped',
    check: 'kept',
    build: 'kept',
    golden: 'kept',
    push: 'kept',
    deploy: 'kept',
  });
}, 120_000);

test('swapped labels are stopped by check where training left golden cases', async () => {
  // The graph is of another fit than the one whose answers are kept.
  edit(
    'train.py',
    /^ {4}model = convert_sklearn\(pipeline/m,
    '    pipeline_of_answers, pipeline = pipeline, __import__("sklearn.base").base.clone(pipeline).fit(train_x, 2 - train_y)\n    model = convert_sklearn(pipeline',
  );
  edit('train.py', /pipeline\.predict_proba\(test_x\)/, 'pipeline_of_answers.predict_proba(test_x)');
  const { code, summary } = await release();
  expect([code, summary.outcome, summary.error?.code]).toEqual([1, 'failed', 'CHECK_FAILED']);
  expect(statusOf(summary)).toMatchObject({
    train: 'done',
    check: 'failed',
    build: 'not reached',
    push: 'not reached',
    deploy: 'not reached',
  });
  expect((await world.status()).stable?.version).toBe('0.1.1');
}, 120_000);

test('and by the canary where there are none', async () => {
  edit('inlay.yaml', /^golden: .*\n/m, '');
  const load = await world.load({ rows: MIX });
  const { code, summary } = await release('--no-train');
  await load.stop();
  expect([code, summary.outcome, summary.error?.code]).toEqual([1, 'failed', 'RELEASE_FAILED']);
  expect(statusOf(summary)).toMatchObject({ push: 'done', deploy: 'failed', record: 'not reached' });
  // Traffic may have changed too, which only people know: onInconclusive says what follows.
  expect(summary.verdict?.reasons.find(({ metric }) => metric === 'labelShift')?.outcome).toBe('inconclusive');
  expect((await world.status()).stable?.version).toBe('0.1.1');
}, 300_000);
