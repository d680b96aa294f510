import { afterEach, beforeEach, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkProject, initProject } from '../../src/check/index.ts';
import { isInlayError } from '../../src/error/index.ts';

const IRIS = join(import.meta.dir, '../../examples/iris');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-init-'));
});
afterEach(() => rmSync(dir, { recursive: true }));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => (isInlayError(error) ? error.code : String(error)),
  );

test('what lies in a folder becomes an inlay.yaml in which check finds nothing', async () => {
  cpSync(IRIS, dir, { recursive: true });
  rmSync(join(dir, 'inlay.yaml'));
  const { summary } = await initProject(dir);
  expect(summary).toBe(
    'models/iris_svc.onnx: classification, input float_input FP32 [-1, 4], output output_probability FP32 [-1, 3]',
  );
  expect((await checkProject(dir)).findings).toEqual([]);
});

test('a model alone is enough', async () => {
  cpSync(join(IRIS, 'models/iris_svc.onnx'), join(dir, 'My Model.onnx'));
  await initProject(dir);
  const { ok, findings } = await checkProject(dir);
  expect([ok, findings.map((finding) => finding.code)]).toEqual([true, ['SAMPLE_MISSING', 'GOLDEN_MISSING']]);
  expect(readFileSync(join(dir, 'inlay.yaml'), 'utf8')).toStartWith(
    'name: my-model\nversion: "0.0.1"\nmodel: My Model.onnx\n',
  );
});

test('nothing is overwritten', async () => {
  cpSync(join(IRIS, 'models/iris_svc.onnx'), join(dir, 'm.onnx'));
  writeFileSync(join(dir, 'inlay.yaml'), 'mine');
  expect(await codeOf(initProject(dir))).toBe('PROJECT_EXISTS');
  expect(readFileSync(join(dir, 'inlay.yaml'), 'utf8')).toBe('mine');
});

test('no model, several models, one of them named', async () => {
  expect(await codeOf(initProject(dir))).toBe('FILE_NOT_FOUND');
  mkdirSync(join(dir, 'sub'));
  for (const name of ['a.onnx', 'sub/b.onnx']) cpSync(join(IRIS, 'models/iris_svc.onnx'), join(dir, name));
  expect(await codeOf(initProject(dir))).toBe('USAGE');
  expect(await codeOf(initProject(dir, join(dir, 'sub/b.onnx')))).toBe('done');
});

test('a model that is none leaves no file', async () => {
  writeFileSync(join(dir, 'm.onnx'), 'PK\x03\x04');
  expect(await codeOf(initProject(dir))).toBe('MODEL_FORMAT');
  expect(await codeOf(checkProject(dir))).toBe('PROJECT_NOT_FOUND');
});
