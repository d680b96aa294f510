import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkProject, initProject } from '../../src/check/index.ts';
import { readProject } from '../../src/contract/index.ts';
import { Engine } from '../../src/engine/index.ts';
import { createLog, DEFAULT_SETTINGS, ModelServer } from '../../src/server/index.ts';
import { small } from '../broken/projects.ts';
import { FLOAT, INT64, initializer, model, node, value } from '../onnx-builder.ts';
import { serveEngine } from '../server/serving.ts';

/** y = x, and 7 where x is NaN. */
const SEVEN_FOR_MISSING = model([
  value(11, 'x', FLOAT, [-1, 2]),
  value(12, 'y', FLOAT, [-1, 2]),
  initializer('seven', [1], [7]),
  node('IsNaN', ['x'], ['m']),
  node('Where', ['m', 'seven', 'x'], ['y']),
]);
const ROW = [[1, null]];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-missing-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const found = async (project: string) => (await checkProject(project)).findings;

test('golden inputs with null are compared where missing: nan says that null is NaN', async () => {
  small(join(dir, 'a'), SEVEN_FOR_MISSING, ROW, { y: [[1, 7]] }, 'missing: nan\n');
  expect(await found(join(dir, 'a'))).toEqual([]);
  small(join(dir, 'b'), SEVEN_FOR_MISSING, ROW, { y: [[1, 8]] }, 'missing: nan\n');
  expect((await found(join(dir, 'b'))).map(({ code }) => code)).toEqual(['GOLDEN_MISMATCH']);
});

test('without it they are refused, and the hint names it', async () => {
  small(join(dir, 'c'), SEVEN_FOR_MISSING, ROW, { y: [[1, 7]] });
  const [finding, ...more] = await found(join(dir, 'c'));
  expect([finding?.code, more]).toEqual(['GOLDEN_INVALID', []]);
  expect(finding?.hint).toContain('missing: nan');
});

test('a model without a float input has no NaN', async () => {
  const whole = model([value(11, 'x', INT64, [-1, 2]), value(12, 'y', INT64, [-1, 2]), node('Identity', ['x'], ['y'])]);
  small(join(dir, 'd'), whole, [[1, 2]], { y: [[1, 2]] }, 'missing: nan\n');
  expect((await found(join(dir, 'd'))).map(({ code }) => code)).toEqual(['CONFIG_INVALID']);
});

test('init says so where golden inputs have null', async () => {
  small(join(dir, 'e'), SEVEN_FOR_MISSING, ROW, { y: [[1, 7]] });
  rmSync(join(dir, 'e/inlay.yaml'));
  await initProject(join(dir, 'e'));
  expect(await found(join(dir, 'e'))).toEqual([]);
});

test.each([
  ['is answered where missing: nan says so', 'missing: nan\n', 200, { prediction: [7, 2] }],
  ['is refused elsewhere', '', 400, { error: { code: 'INPUT_INVALID' } }],
])('a request with null %s', async (_, more, status, answer) => {
  const project = join(dir, `serve-${status}`);
  small(project, SEVEN_FOR_MISSING, [[1, 2]], { y: [[1, 2]] }, more);
  const { contract, modelPath } = await readProject(project);
  const engine = await Engine.load({ contract, modelPath, threads: 1 });
  const server = new ModelServer({
    settings: { ...DEFAULT_SETTINGS, host: '127.0.0.1', port: 0 },
    log: createLog('ERROR', 'TEXT', () => undefined),
  });
  await serveEngine(server, contract, engine);
  try {
    const response = await fetch(`${server.url}/predict`, { method: 'POST', body: '{"data":[[null,2]]}' });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject(answer);
    const openapi = await (await fetch(`${server.url}/openapi.json`)).text();
    expect(openapi.includes('"null"')).toBe(status === 200);
  } finally {
    await server.close();
    await engine.close();
  }
});
