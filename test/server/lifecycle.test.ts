import { expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REFERENCE, SETOSA } from './serving.ts';

const MAIN = join(import.meta.dir, '../../src/server/main.ts');

/** The image's program, as a process of its own, on a free port. */
async function start(env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, '--no-env-file', '--no-install', MAIN], {
    env: { HOST: '127.0.0.1', PORT: '0', ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const reader = child.stdout.getReader();
  const first = await reader.read();
  reader.releaseLock();
  const line = new TextDecoder().decode(first.value);
  return { child, url: /http:\/\/\S+/.exec(line)?.[0], line };
}
const reference = { MODEL_FILEPATH: join(REFERENCE, 'iris_svc.onnx'), LABEL_FILEPATH: join(REFERENCE, 'label.json') };

test('SIGTERM under load: not ready at once, still serving until those who route have noticed, no request fails, exit 0', async () => {
  const { child, url } = await start({ ...reference, DRAIN_S: '1.5' });
  const body = '{"data":[[5.1,3.5,1.4,0.2]]}';
  const failures: string[] = [];
  let answered = 0;
  let routed = true;
  const client = async (keepalive: boolean) => {
    while (routed) {
      try {
        const response = await fetch(`${url}/predict`, { method: 'POST', body, keepalive });
        expect(await response.json()).toEqual({ prediction: SETOSA });
        answered++;
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const clients = Array.from({ length: 16 }, (_, i) => client(i % 2 === 0));
  await Bun.sleep(300);
  child.kill('SIGTERM');
  const status = async (path: string) => (await fetch(url + path)).status;
  // The signal takes its way; from then on no thread says that it is ready.
  while ((await status('/health/ready')) === 200) await Bun.sleep(5);
  for (let i = 0; i < 10; i++) expect(await status('/health/ready')).toBe(503);
  expect(await status('/health/live')).toBe(200);
  const atSignal = answered;
  // As a load balancer would: it sees the probe fail, and some time later no new request is sent here.
  await Bun.sleep(700);
  routed = false;
  await Promise.all(clients);
  expect(answered).toBeGreaterThan(atSignal + 100);
  expect(failures).toEqual([]);
  expect(await child.exited).toBe(0);
}, 20_000);

test('while requests still come to a server that drains it serves on, probes aside, and then it ends', async () => {
  const { child, url } = await start({ ...reference, DRAIN_S: '3', MAX_DRAIN_S: '600' });
  const body = '{"data":[[5.1,3.5,1.4,0.2]]}';
  const begun = performance.now();
  child.kill('SIGTERM');
  // Somebody who has not noticed: for longer than the drain takes without.
  while (performance.now() - begun < 6000) {
    expect((await fetch(`${url}/predict`, { method: 'POST', body })).status).toBe(200);
    await Bun.sleep(20);
  }
  let probing = true;
  const probe = async () => {
    while (probing) {
      await fetch(`${url}/health/live`).catch(() => {});
      await Bun.sleep(20);
    }
  };
  const probes = probe();
  expect(await child.exited).toBe(0);
  probing = false;
  await probes;
}, 30_000);

test('it does not serve on for longer than it may, and says that requests still came', async () => {
  const { child, url } = await start({ ...reference, DRAIN_S: '3', MAX_DRAIN_S: '3.5' });
  child.kill('SIGTERM');
  let ended = false;
  child.exited.then(() => {
    ended = true;
  });
  while (!ended) {
    await fetch(`${url}/predict`, { method: 'POST', body: '{"data":[[5.1,3.5,1.4,0.2]]}' }).catch(() => {});
    await Bun.sleep(5);
  }
  expect(await child.exited).toBe(0);
  expect(await new Response(child.stderr).text()).toContain('requests still come');
}, 30_000);

test('a request that is under way when the drain ends is still answered', async () => {
  const { child, url } = await start({ ...reference, DRAIN_S: '0' });
  const slow = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode('{"data":[[5.1,3.5,'));
      await Bun.sleep(600);
      controller.enqueue(new TextEncoder().encode('1.4,0.2]]}'));
      controller.close();
    },
  });
  const answer = fetch(`${url}/predict`, { method: 'POST', body: slow });
  await Bun.sleep(200);
  child.kill('SIGTERM');
  expect(await (await answer).json()).toEqual({ prediction: SETOSA });
  expect(await child.exited).toBe(0);
}, 20_000);

test('a second signal ends the wait', async () => {
  const { child } = await start({ ...reference, DRAIN_S: '600' });
  child.kill('SIGTERM');
  await Bun.sleep(100);
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
}, 20_000);

test('ONNX Runtime leaves no telemetry behind', async () => {
  const home = mkdtempSync(join(tmpdir(), 'inlay-telemetry-'));
  try {
    const { child } = await start({ ...reference, HOME: home, XDG_CACHE_HOME: join(home, '.cache'), DRAIN_S: '0' });
    expect(existsSync(join(home, '.cache', 'Microsoft'))).toBe(false);
    child.kill('SIGTERM');
    await child.exited;
  } finally {
    rmSync(home, { recursive: true });
  }
}, 20_000);

test('without the switch it would: the test above can fail', async () => {
  const home = mkdtempSync(join(tmpdir(), 'inlay-telemetry-'));
  try {
    const script = `await (await import('onnxruntime-node')).InferenceSession.create(${JSON.stringify(reference.MODEL_FILEPATH)}).catch(() => {})`;
    const child = Bun.spawn([process.execPath, '-e', script], {
      cwd: import.meta.dir,
      env: { HOME: home, XDG_CACHE_HOME: join(home, '.cache') },
    });
    await child.exited;
    if (process.platform === 'linux') expect(existsSync(join(home, '.cache', 'Microsoft'))).toBe(true);
  } finally {
    rmSync(home, { recursive: true });
  }
}, 20_000);

test('logs as JSON: a line an event, each request with its id and trace; /metrics counts all serving threads', async () => {
  const { child, url } = await start({ ...reference, DRAIN_S: '0', LOG_FORMAT: 'JSON', ACCESS_LOG: 'true' });
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const parents = ['00f067aa0ba902b7', '0000000000000000'];
  const ask = (id: number) =>
    fetch(`${url}/predict`, {
      method: 'POST',
      body: '{"data":[[5.1,3.5,1.4,0.2]]}',
      headers: {
        'x-request-id': `"${id}"`,
        traceparent: `00-${trace}-${parents[id % 2]}-01`,
        // A connection each, so that every thread gets some.
        connection: 'close',
      },
    });
  await Promise.all(Array.from({ length: 100 }, (_, id) => ask(id)));
  const nameless = await fetch(`${url}/nowhere`);
  const count = async () => {
    const page = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text();
    return /^inlay_request_duration_seconds_count\{route="\/predict",code="200"\} (\d+)$/m.exec(page)?.[1];
  };
  // A thread that a busy machine keeps from answering a scrape is in a later one; from then on each scrape has all.
  while ((await count()) !== '100') await Bun.sleep(50);
  for (let i = 0; i < 10; i++) expect(await count()).toBe('100');
  child.kill('SIGTERM');
  const text = await new Response(child.stderr).text();
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const requests = lines.filter(({ route }) => route === '/predict');
  expect(requests.length).toBe(100);
  for (const { requestId, traceId, spanId, status, ms } of requests) {
    const known = Number(JSON.parse(String(requestId))) % 2 === 0;
    expect([traceId, spanId, status]).toEqual(known ? [trace, parents[0], 200] : [undefined, undefined, 200]);
    expect(ms).toBeGreaterThan(0);
  }
  // Who sends no id is given one.
  const given = nameless.headers.get('x-request-id');
  expect(lines.find(({ requestId }) => requestId === given)).toMatchObject({
    level: 'INFO',
    status: 404,
    route: 'other',
  });
}, 20_000);

test('MAX_HEADER_BYTES lets larger heads in, for all serving threads', async () => {
  const { child, url } = await start({ ...reference, DRAIN_S: '0', MAX_HEADER_BYTES: '65536' });
  for (let i = 0; i < 20; i++) {
    const ask = (length: number) =>
      fetch(`${url}/health`, { headers: { cookie: 'a'.repeat(length), connection: 'close' } });
    expect((await ask(50_000)).status).toBe(200);
    expect((await ask(70_000)).status).toBe(431);
  }
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
}, 20_000);

test('paths may be relative to PROJECT_DIR', async () => {
  const { child, line } = await start({
    PROJECT_DIR: REFERENCE,
    MODEL_FILEPATH: './iris_svc.onnx',
    LABEL_FILEPATH: 'label.json',
    DRAIN_S: '0',
  });
  expect(line).toStartWith('inlay serves iris-svc 0 at http://127.0.0.1:');
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
}, 20_000);

test.each([
  ['no model', {}, 'error ENVIRONMENT_INVALID: MODEL_FILEPATH is not set'],
  [
    'several mistakes',
    { ...reference, PORT: 'x', GRPC_PORT: '70000', LOG_LEVEL: 'loud', DRAIN_S: '-1' },
    'PORT=x: expected a port from 0 to 65535; GRPC_PORT=70000: expected a port from 1 to 65535, or 0 for no gRPC; LOG_LEVEL=loud: expected DEBUG, INFO, WARNING, ERROR; DRAIN_S=-1',
  ],
  ['a model that is not there', { MODEL_FILEPATH: '/nowhere.onnx' }, 'FILE_NOT_FOUND'],
  ['a model that is none', { MODEL_FILEPATH: join(REFERENCE, 'label.json') }, 'MODEL_FORMAT'],
])(
  '%s: exit 1 and a last line that says why',
  async (_, env, expected) => {
    const child = Bun.spawn([process.execPath, MAIN], {
      env: { HOST: '127.0.0.1', PORT: '0', ...env },
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [code, text] = await Promise.all([child.exited, new Response(child.stderr).text()]);
    expect(text).toContain(expected);
    expect(code).toBe(1);
  },
  20_000,
);

test('in an image, another model without a contract of its own is refused', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'inlay-other-'));
  try {
    writeFileSync(join(dir, 'contract.json'), '{}');
    const child = Bun.spawn([process.execPath, MAIN, '--port', '0'], {
      env: { HOST: '127.0.0.1', PROJECT_DIR: dir, MODEL_FILEPATH: reference.MODEL_FILEPATH },
      stdout: 'ignore',
      stderr: 'pipe',
    });
    expect(await new Response(child.stderr).text()).toContain('CONTRACT_INVALID');
    expect(await child.exited).toBe(1);
  } finally {
    rmSync(dir, { recursive: true });
  }
}, 20_000);

test('rows of several requests share runs soon after the start, on every serving thread', async () => {
  const { child, url } = await start({ ...reference, DRAIN_S: '0' });
  type Metadata = { execution: { batch: string; max_batch_rows: number } };
  // Connections come to one thread or another.
  for (let proven = 0; proven < 8; ) {
    const answer = await fetch(`${url}/metadata`, { headers: { connection: 'close' } });
    const { execution } = (await answer.json()) as Metadata;
    if (execution.batch === 'exact') proven++;
    else expect(execution).toMatchObject({ batch: 'unproven', max_batch_rows: 1 });
  }
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
}, 20_000);
