import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProject } from '../../src/contract/index.ts';
import { cpuLimit, Engine, openLanes, threadsFor } from '../../src/engine/index.ts';
import { createLog, DEFAULT_SETTINGS, ModelServer } from '../../src/server/index.ts';
import { counting } from '../onnx-builder.ts';

// A model that hangs in the middle of a run, as a deadlock in a native library would: nobody can take the run back.

const FOREVER = '{"inputs":{"n":[[1000000000000]]}}';
const MAIN = join(import.meta.dir, '../../src/server/main.ts');
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-liveness-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A model that counts to n; with a sample so large that it takes `sample` steps. */
async function project(name: string, sample: number) {
  const folder = join(dir, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'm.onnx'), counting());
  writeFileSync(
    join(folder, 'inlay.yaml'),
    `name: m\nversion: "1"\nmodel: m.onnx\ntask: other\nsample: {n: [[${sample}]]}\n`,
  );
  return readProject(folder);
}

async function status(url: string): Promise<number | undefined> {
  return fetch(url, { signal: AbortSignal.timeout(500) }).then(
    (response) => response.status,
    () => undefined,
  );
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(20);
}

test('a heavy model whose run does not end: not live, not ready, and long runs before it were no reason', async () => {
  const { contract, modelPath } = await project('heavy', 200_000);
  const server = new ModelServer({
    settings: { ...DEFAULT_SETTINGS, host: '127.0.0.1', port: 0, livenessTimeoutMs: 400 },
    log: createLog('ERROR', 'TEXT', () => {}),
  });
  const engine = await Engine.load({ contract, modelPath, threads: 1 });
  const lanes = await openLanes(engine);
  expect(lanes.mode).toBe('worker');
  const batch = { state: 'off', interferes: false, rows: 0, maxRows: 1 } as const;
  await server.serve({ contract, engine, batch, lanes });
  const live = () => status(`${server.url}/health/live`);
  const post = (body: string) => fetch(`${server.url}/predict`, { method: 'POST', body });

  // Rows that take their time: so many that the whole takes longer than the limit.
  const rows = Math.ceil(600 / engine.runMs);
  const long = post(JSON.stringify({ inputs: { n: Array.from({ length: rows }, () => [200_000]) } }));
  let done = false;
  long.then(() => {
    done = true;
  });
  while (!done) {
    expect(await live()).toBe(200);
    await Bun.sleep(20);
  }
  expect((await long).status).toBe(200);

  const forever = post(FOREVER).catch(() => undefined);
  await until(async () => (await live()) === 503);
  const body = await (await fetch(`${server.url}/health/live`)).json();
  expect(body).toMatchObject({ error: { code: 'NOT_LIVE' } });
  expect(await status(`${server.url}/v2/health/live`)).toBe(503);
  expect(await status(`${server.url}/health/ready`)).toBe(503);
  expect(await status(`${server.url}/health`)).toBe(200);
  await server.close();
  lanes.close();
  await forever;
}, 120_000);

test.skipIf(threadsFor(cpuLimit()) < 2)(
  'a serving thread that hangs: the others say so',
  async () => {
    const { modelPath, contract } = await project('light', 1);
    writeFileSync(join(dir, 'light', 'contract.json'), JSON.stringify(contract));
    const child = Bun.spawn([process.execPath, '--no-env-file', '--no-install', MAIN], {
      env: { HOST: '127.0.0.1', PORT: '0', MODEL_FILEPATH: modelPath, LIVENESS_TIMEOUT_S: '0.5' },
      stdout: 'pipe',
      stderr: 'inherit',
    });
    try {
      const { value } = await child.stdout.getReader().read();
      const url = /http:\S+/.exec(new TextDecoder().decode(value))?.[0];
      expect(await status(`${url}/health/live`)).toBe(200);
      fetch(`${url}/predict`, { method: 'POST', body: FOREVER }).catch(() => {});
      // Which thread takes a connection is the kernel's choice: the one that hangs does not answer at all.
      await until(async () => (await status(`${url}/health/live`)) === 503);
    } finally {
      child.kill('SIGKILL');
      await child.exited;
    }
  },
  120_000,
);
