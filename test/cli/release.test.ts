// inlay release as a person or a pipeline meets it, as far as it goes without a registry and a cluster.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReleaseSummary } from '../../src/release/index.ts';
import { endOf } from '../end-of.ts';

const ROOT = join(import.meta.dir, '..', '..');
const MAIN = join(ROOT, 'src', 'cli', 'main.ts');
const IRIS = join(ROOT, 'examples', 'iris');

let dir: string;
let project: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-release-'));
  project = join(dir, 'iris');
  cpSync(join(IRIS, 'golden.json'), join(project, 'golden.json'));
  config('cp "$IRIS/models/iris_svc.onnx" model.onnx && echo trained');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A project that is trained by copying, without Python. */
function config(run: string, more = ''): void {
  const lines = [
    'name: iris',
    'version: auto',
    'model: model.onnx',
    'golden: golden.json',
    'sample: [[5.1, 3.5, 1.4, 0.2]]',
  ];
  writeFileSync(join(project, 'inlay.yaml'), `${lines.join('\n')}\ntraining: {run: ${JSON.stringify(run)}}\n${more}`);
}

async function inlay(...args: string[]) {
  const child = Bun.spawn([process.execPath, '--no-env-file', MAIN, ...args], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: dir,
      INLAY_HOME: join(dir, 'home'),
      IRIS,
      GITHUB_STEP_SUMMARY: join(dir, 'job.md'),
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return endOf(child);
}

const summaryOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as ReleaseSummary;
const statusOf = ({ steps }: ReleaseSummary) => Object.fromEntries(steps.map(({ name, status }) => [name, status]));

test('it trains, checks, and stops where it was asked to; once more it goes on with what is there', async () => {
  const first = await inlay('release', project, '--until', 'check', '--json');
  expect([first.code, first.stderr]).toEqual([0, '']);
  const summary = summaryOf(first);
  expect(summary).toMatchObject({ schemaVersion: 1, service: 'iris', outcome: 'stopped' });
  expect(statusOf(summary)).toEqual({
    train: 'done',
    check: 'done',
    build: 'not reached',
    golden: 'not reached',
    sign: 'not reached',
    push: 'not reached',
    deploy: 'not reached',
    record: 'not reached',
  });
  expect(readFileSync(summary.from?.training?.log ?? '', 'utf8')).toContain('trained');
  expect(readFileSync(join(dir, 'job.md'), 'utf8')).toContain('## iris: stopped');
  const second = summaryOf(await inlay('release', project, '--until', 'check', '--json'));
  expect(statusOf(second)).toMatchObject({ train: 'kept', check: 'kept' });
});

test('a model that answers otherwise than training did is stopped by check, and trained anew the next time', async () => {
  const golden = JSON.parse(readFileSync(join(project, 'golden.json'), 'utf8')) as {
    cases: { outputs: Record<string, number[][]> }[];
  };
  for (const one of golden.cases) for (const rows of Object.values(one.outputs)) for (const row of rows) row.reverse();
  writeFileSync(join(project, 'golden.json'), JSON.stringify(golden));
  const { code, stdout, stderr } = await inlay('release', project, '--until', 'golden', '--json');
  const summary = summaryOf({ stdout });
  expect([code, summary.outcome, summary.error?.code]).toEqual([1, 'failed', 'CHECK_FAILED']);
  expect(statusOf(summary)).toMatchObject({
    train: 'done',
    check: 'failed',
    build: 'not reached',
    golden: 'not reached',
  });
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CHECK_FAILED' } });
  expect(statusOf(summaryOf(await inlay('release', project, '--until', 'golden', '--json')))).toMatchObject({
    train: 'done',
  });
});

test('a training that fails ends it, with its last words', async () => {
  config('echo no data in the store >&2; exit 7');
  const { code, stdout, stderr } = await inlay('release', project, '--until', 'check');
  expect([code, stdout]).toEqual([3, expect.stringContaining('Not released. Done: nothing.')]);
  expect(stderr).toContain('error TRAINING_FAILED');
  expect(stderr).toContain('no data in the store');
});

test('what cannot go well in the end is said before anything is trained', async () => {
  const nowhere = await inlay('release', project);
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('error REFERENCE_INVALID')]);
  const unknown = await inlay('release', project, '--until', 'lunch');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('train, check, build')]);
  const both = await inlay('release', project, '--no-train', '--retrain');
  expect(both.code).toBe(2);
  expect(existsSync(join(project, 'model.onnx'))).toBe(false);
});

test('a dry run trains nothing, and says so', async () => {
  const { code, stdout } = await inlay('release', project, '--until', 'check', '--dry-run', '--json');
  const summary = summaryOf({ stdout });
  expect([code, summary.outcome]).toEqual([0, 'planned']);
  expect(statusOf(summary)).toMatchObject({ train: 'planned', check: 'planned' });
  expect(readdirSync(project).sort()).toEqual(['golden.json', 'inlay.yaml']);
});

test('init --train trains first, and the release after it takes that model', async () => {
  rmSync(join(project, 'inlay.yaml'));
  const made = await inlay(
    'init',
    project,
    '--train',
    'cp "$IRIS/models/iris_svc.onnx" model.onnx',
    '--name',
    'iris',
    '--image',
    'registry.example.com/ml/iris',
  );
  expect([made.code, made.stdout]).toEqual([0, expect.stringContaining(`Next: inlay release ${project}`)]);
  expect(readFileSync(join(project, 'inlay.yaml'), 'utf8')).toContain('version: auto');
  const summary = summaryOf(await inlay('release', project, '--until', 'check', '--json'));
  expect(statusOf(summary)).toMatchObject({ train: 'kept', check: 'done' });
  const again = await inlay('init', project, '--train');
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('PROJECT_EXISTS')]);
});
