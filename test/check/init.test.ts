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

test('a transform that lies there is named', async () => {
  cpSync(join(IRIS, '..', 'digits'), dir, { recursive: true });
  rmSync(join(dir, 'inlay.yaml'));
  await initProject(dir);
  expect(readFileSync(join(dir, 'inlay.yaml'), 'utf8')).toContain('\ntransform: transform.ts\n');
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
  expect(await codeOf(initProject(dir, { model: join(dir, 'sub/b.onnx') }))).toBe('done');
});

test('a model that is none leaves no file', async () => {
  writeFileSync(join(dir, 'm.onnx'), 'PK\x03\x04');
  expect(await codeOf(initProject(dir))).toBe('MODEL_FORMAT');
  expect(await codeOf(checkProject(dir))).toBe('PROJECT_NOT_FOUND');
});

const MLMODEL = (flavor: string) => `flavors:
  ${flavor}:
    data: model.onnx
    onnx_version: 1.20.0
mlflow_version: 3.1.0
run_id: 0123456789abcdef
saved_input_example_info:
  artifact_path: input_example.json
  type: ndarray
`;

test('a folder that MLflow wrote: its model, its example and its requirements', async () => {
  cpSync(join(IRIS, 'models/iris_svc.onnx'), join(dir, 'model.onnx'));
  cpSync(join(IRIS, 'models/iris_svc.onnx'), join(dir, 'other.onnx'));
  writeFileSync(join(dir, 'MLmodel'), MLMODEL('onnx'));
  writeFileSync(join(dir, 'input_example.json'), '{"inputs": [[6.1, 2.8, 4.7, 1.2], [5, 3, 1, 0]]}');
  writeFileSync(join(dir, 'requirements.txt'), 'onnx==1.20.0\nskl2onnx\n');
  await initProject(dir);
  expect(readFileSync(join(dir, 'inlay.yaml'), 'utf8')).toContain('6.1');
  expect((await checkProject(dir)).findings.map((finding) => finding.code)).toEqual([
    'TRAIN_UNPINNED',
    'GOLDEN_MISSING',
  ]);
});

test('an MLflow model without ONNX is told how to become one', async () => {
  writeFileSync(join(dir, 'MLmodel'), MLMODEL('sklearn'));
  expect(await codeOf(initProject(dir))).toBe('MODEL_FORMAT');
  writeFileSync(join(dir, 'MLmodel'), MLMODEL('onnx').replace('data: model.onnx', 'data: ../model.onnx'));
  expect(await codeOf(initProject(dir))).toBe('PATH_ESCAPES');
  writeFileSync(join(dir, 'MLmodel'), 'flavors: [');
  expect(await codeOf(initProject(dir))).toBe('CONFIG_INVALID');
});

test('at a terminal it asks, and takes what it suggests for an empty answer', async () => {
  for (const name of ['a.onnx', 'b.onnx']) cpSync(join(IRIS, 'models/iris_svc.onnx'), join(dir, name));
  cpSync(join(IRIS, 'golden.json'), join(dir, 'golden.json'));
  const asked: string[] = [];
  const answers: Record<string, string> = { Which: 'b.onnx', Repository: 'registry.example.com/ml/b', Do: 'y' };
  await initProject(dir, {
    ask: async (question, suggestion) => {
      asked.push(question);
      return answers[question.split(' ')[0] as string] ?? suggestion;
    },
  });
  expect(asked).toHaveLength(4);
  const text = readFileSync(join(dir, 'inlay.yaml'), 'utf8');
  expect(text).toStartWith('name: b\nversion: "0.0.1"\nimage: registry.example.com/ml/b\nmodel: b.onnx\n');
  expect(text).toContain('inImage: false');
  expect((await checkProject(dir)).findings).toEqual([]);
});
