// The image's program on files as they lie in an image.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProject, serializeContract } from '../../../src/contract/index.ts';
import { FLOAT, model, node, value } from '../../onnx-builder.ts';
import { write } from '../../transform/writing.ts';

const MAIN = join(import.meta.dir, '../../../src/server/main.ts');
const SAME = model([value(11, 'x', FLOAT, [-1, 1]), value(12, 'y', FLOAT, [-1, 1]), node('Identity', ['x'], ['y'])]);
const TRANSFORM = `export default {
  accepts: ['text/plain'],
  async preprocess(request) {
    const text = request.text();
    if (text === 'hang') for (;;);
    if (text === 'stray') { void Promise.reject(new Error('left alone')); setTimeout(() => { throw new Error('left later'); }, 1); }
    return { x: { data: Float32Array.of(text.length), shape: [1, 1] } };
  },
};`;

let root: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'inlay-program-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** The folders /model and /transform of an image. */
async function image(raw: unknown[], transform = TRANSFORM) {
  const dir = write(join(root, `p${count++}`), {
    'm.onnx': SAME,
    'transform.ts': transform,
    'golden.json': JSON.stringify({ cases: [{ inputs: { x: [[1]] }, outputs: { y: [[1]] } }], raw }),
    'inlay.yaml': 'name: long\nversion: "1"\nmodel: m.onnx\ntransform: transform.ts\ngolden: golden.json\n',
  });
  const project = await readProject(dir);
  const at = { model: join(dir, 'model'), transform: join(dir, 'transform') };
  write(at.model, { 'm.onnx': SAME, 'contract.json': serializeContract(project.contract) });
  cpSync(join(dir, 'golden.json'), join(at.model, 'golden.json'));
  cpSync(project.transform?.dir ?? '', at.transform, { recursive: true });
  return at;
}

function start(at: { model: string; transform: string }, env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, '--no-env-file', '--no-install', MAIN], {
    env: {
      HOST: '127.0.0.1',
      PORT: '0',
      DRAIN_S: '0',
      MODEL_FILEPATH: join(at.model, 'm.onnx'),
      TRANSFORM_DIR: at.transform,
      ...env,
    },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const log = new Response(child.stderr).text();
  const url = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const found = /http:\/\/\S+/.exec(chunk)?.[0];
      if (found) return found;
    }
    return undefined;
  })();
  return { child, log, url };
}
const post = (url: string | undefined, body: string) =>
  fetch(`${url}/predict`, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
const raw = (text: string, prediction: number) => ({
  request: { contentType: 'text/plain', text },
  answer: { prediction: [prediction] },
});

test('every serving thread answers through the transform, and none ends of what it leaves behind', async () => {
  const { child, log, url } = start(await image([raw('four', 4)]));
  const at = await url;
  for (let i = 0; i < 20; i++) {
    const body = 'x'.repeat(i + 1);
    expect(await (await post(at, body)).json()).toEqual({ prediction: [i + 1] });
    expect((await post(at, 'stray')).status).toBe(200);
  }
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
  expect(await log).toContain('left alone');
  expect(await log).toContain('left later');
}, 30_000);

test('raw golden cases that are answered differently keep it from getting ready', async () => {
  const { child, log } = start(await image([raw('four', 4), raw('five', 5)]));
  expect(await child.exited).toBe(1);
  expect(await log).toMatch(/raw case 1, prediction\[0\]: training saw 5, this is 4 .*code=GOLDEN_MISMATCH/);
}, 30_000);

test('a transform that is not the one of the contract is not loaded', async () => {
  const at = await image([]);
  writeFileSync(join(at.transform, 'more.txt'), 'x');
  const changed = start(at);
  expect(await changed.child.exited).toBe(1);
  expect(await changed.log).toContain('code=INTEGRITY_MISMATCH');
  rmSync(join(at.transform, 'more.txt'));
  for (const env of [{ TRANSFORM_DIR: join(at.transform, 'nowhere') }, { TRANSFORM_DIR: '' }]) {
    const { child, log } = start(at, env);
    expect(await child.exited).toBe(1);
    expect(await log).toContain('code=FILE_NOT_FOUND');
  }
}, 30_000);

test('a transform that never returns ends the process, so that whoever runs it starts it again', async () => {
  const { child, log, url } = start(await image([]), { LIVENESS_TIMEOUT_S: '0.5' });
  const at = await url;
  const asked = post(at, 'hang').then(
    () => 'answered',
    () => 'closed',
  );
  expect(await child.exited).toBe(1);
  expect(await asked).toBe('closed');
  expect(await log).toContain('error TRANSFORM_TIMEOUT: a serving thread stood still');
}, 60_000);

test('a project’s transform leaves no folder behind', async () => {
  const child = Bun.spawn([join(import.meta.dir, '../../../bin/inlay'), 'check', join(root, 'p0')], {
    env: { ...process.env, TMPDIR: write(join(root, 'tmp'), { '.keep': '' }) },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  expect(await new Response(child.stdout).text()).toContain('1 raw requests from training');
  expect(await child.exited).toBe(0);
  expect(readdirSync(join(root, 'tmp'))).toEqual(['.keep']);
}, 30_000);
