import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DiffVerdict, diffContracts, diffModels, verdictOf } from '../../src/check/index.ts';
import { type AnyContract, type Contract, type OpaqueContract, readProject } from '../../src/contract/index.ts';
import { healthy } from '../broken/projects.ts';

let dir: string;
let iris: Contract;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-diff-'));
  healthy(join(dir, 'a'));
  iris = (await readProject(join(dir, 'a'))).contract;
});
afterAll(() => rmSync(dir, { recursive: true }));

async function diffProjects(from: string, to: string) {
  const side = async (folder: string) => {
    const { contract, modelPath, golden } = await readProject(folder);
    return { contract, model: { contract, modelPath, golden: golden?.cases } };
  };
  return diffModels(await side(from), await side(to));
}

const input = (datatype: string, ...shape: number[]) => ({ inputs: [{ name: 'float_input', datatype, shape }] });
const transform = (more: object = {}) => ({
  transform: { file: 'transform.ts', digest: 'sha256:a', accepts: ['image/png'], postprocess: false, ...more },
});
const labels = (...names: string[]) => ({ labels: { keys: names.map((_, i) => String(i)), names } });

test.each<[string, object, DiffVerdict]>([
  ['nothing', {}, 'same'],
  ['the version', { version: '2' }, 'compatible'],
  ['the weights', { model: { digest: 'sha256:x' } }, 'compatible'],
  ['a metric', { metrics: { accuracy: 0.5 } }, 'compatible'],
  ['memory', { server: { cpu: '500m', memory: '1Gi' } }, 'compatible'],
  ['the name', { name: 'other' }, 'breaking'],
  ['the task', { task: 'regression' }, 'breaking'],
  ['the width of the input', input('FP32', -1, 5), 'breaking'],
  ['the datatype of the input', input('FP16', -1, 4), 'breaking'],
  ['the rank of the input', input('FP32', -1, 4, 1), 'breaking'],
  ['a free dimension that becomes fixed', input('FP32', 1, 4), 'breaking'],
  ['a fixed dimension that becomes free', input('FP32', -1, -1), 'compatible'],
  [
    'missing values that are taken from now on',
    { inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1, 4], missing: 'nan' }] },
    'compatible',
  ],
  [
    'an input more',
    { inputs: [...input('FP32', -1, 4).inputs, { name: 'more', datatype: 'FP32', shape: [-1] }] },
    'breaking',
  ],
  ['the input’s name', { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] }, 'breaking'],
  ['the order of the labels', labels('versicolor', 'setosa', 'virginica'), 'breaking'],
  ['a label more', labels('setosa', 'versicolor', 'virginica', 'other'), 'breaking'],
  ['no labels any more', { labels: undefined }, 'breaking'],
  ['the output that is the prediction', { prediction: 'output_label' }, 'breaking'],
])('%s changes', (_, change, verdict) => {
  const to = { ...iris, ...change, model: { ...iris.model, ...(change as Partial<Contract>).model } } as Contract;
  expect(verdictOf(diffContracts(iris, to))).toBe(verdict);
});

test('an output less is breaking, an output more is not', () => {
  const fewer = { ...iris, outputs: iris.outputs.slice(1) };
  expect(verdictOf(diffContracts(iris, fewer))).toBe('breaking');
  expect(verdictOf(diffContracts(fewer, iris))).toBe('compatible');
});

test('missing values that are no longer taken break clients that send them', () => {
  const takesNull = { ...iris, inputs: iris.inputs.map((spec) => ({ ...spec, missing: 'nan' as const })) };
  expect(verdictOf(diffContracts(takesNull, iris))).toBe('breaking');
});

test('both models answer the golden cases', async () => {
  const same = await diffProjects(join(dir, 'a'), join(dir, 'a'));
  expect(same).toEqual({
    verdict: 'same',
    changes: [],
    answers: { rows: 90, labelFlips: 0, agreement: 1, largestShift: 0, largestShiftRow: 0 },
  });

  const other = join(dir, 'b');
  healthy(other);
  cpSync(join(import.meta.dir, '../data/reference/iris_svc.onnx'), join(other, 'models/iris_svc.onnx'));
  const diff = await diffProjects(join(dir, 'a'), other);
  expect(diff.verdict).toBe('compatible');
  expect(diff.answers?.largestShift).toBeGreaterThan(0);
  expect(diff.answers?.agreement).toBeGreaterThan(0.9);
});

test('without golden cases there are no answers to compare', async () => {
  for (const name of ['c', 'd']) {
    healthy(join(dir, name));
    const path = join(dir, name, 'inlay.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/golden: .*\n/, ''));
  }
  expect((await diffProjects(join(dir, 'c'), join(dir, 'd'))).answers).toBeUndefined();
});

test.each<[string, object, DiffVerdict]>([
  ['nothing', {}, 'same'],
  ['its code', { digest: 'sha256:b' }, 'compatible'],
  ['one more type', { accepts: ['image/jpeg', 'image/png'] }, 'compatible'],
  ['another type', { accepts: ['image/jpeg'] }, 'breaking'],
  ['an answer of its own', { postprocess: true }, 'breaking'],
])('%s of the transform changed', (_, change, verdict) => {
  expect(verdictOf(diffContracts({ ...iris, ...transform() }, { ...iris, ...transform(change) }))).toBe(verdict);
});

test('with a transform requests are others than without', () => {
  expect(verdictOf(diffContracts(iris, { ...iris, ...transform() }))).toBe('breaking');
  expect(verdictOf(diffContracts({ ...iris, ...transform() }, iris))).toBe('breaking');
});

const opaque = (more: Partial<OpaqueContract> = {}): OpaqueContract => ({
  schemaVersion: 1,
  format: 'opaque',
  name: 'iris',
  version: '1',
  task: 'other',
  model: { target: '/m', digest: 'sha256:x', sizeBytes: 1, files: 1 },
  inputs: [],
  outputs: [],
  server: {},
  ...more,
});

test('of an opaque model what somebody wrote is compared, and nothing where nobody did', () => {
  const inputs = input('FP32', -1, 4).inputs as OpaqueContract['inputs'];
  const wider = input('FP32', -1, 5).inputs as OpaqueContract['inputs'];
  const verdict = (from: AnyContract, to: AnyContract) => verdictOf(diffContracts(from, to));
  expect(verdict(opaque(), opaque())).toBe('same');
  expect(verdict(opaque(), opaque({ inputs }))).toBe('same');
  expect(verdict(opaque({ inputs }), opaque({ inputs: wider }))).toBe('breaking');
  expect(verdict(opaque(), opaque({ model: { target: '/n', digest: 'sha256:y', sizeBytes: 1, files: 1 } }))).toBe(
    'compatible',
  );
  expect(verdict(iris, opaque({ name: iris.name, task: iris.task }))).toBe('breaking');
});
