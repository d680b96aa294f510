import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { SETOSA, serveReference } from './serving.ts';

// Clients that mean no good, and those that only had bad luck: the server lives, and answers others as ever.

let served: Awaited<ReturnType<typeof serveReference>>;
let port: number;
beforeAll(async () => {
  served = await serveReference({ bodyTimeoutMs: 400 });
  port = Number(new URL(served.url).port);
});
afterAll(() => served.server.close());

const HEAD = 'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
  });
}

/** All that comes until the server closes. */
function ending(socket: Socket): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', () => resolve(text));
  });
}

async function stillWell(): Promise<void> {
  const body = '{"data":[[5.1,3.5,1.4,0.2]]}';
  const response = await fetch(`${served.url}/predict`, { method: 'POST', body });
  expect([response.status, await response.json()]).toEqual([200, { prediction: SETOSA }]);
}

test('a body that trickles is cut off, with an answer', async () => {
  const socket = await open();
  const end = ending(socket);
  socket.write(`${HEAD}Content-Length: 1000\r\n\r\n{"data"`);
  const trickle = setInterval(() => socket.write(' '), 50);
  const said = await end.finally(() => clearInterval(trickle));
  expect(said).toStartWith('HTTP/1.1 408');
  expect(said).toContain('BODY_TIMEOUT');
  await stillWell();
});

test('an upload that ends in its middle leaves nothing behind', async () => {
  for (let i = 0; i < 50; i++) {
    const socket = await open();
    socket.write(`${HEAD}Content-Length: 100000\r\n\r\n${'['.repeat(5000)}`);
    socket.destroy();
  }
  await stillWell();
});

test('a head that is far too large is refused', async () => {
  const socket = await open();
  const end = ending(socket);
  socket.write(`${HEAD}X-Bomb: ${'a'.repeat(1_000_000)}\r\n\r\n`);
  expect(await end).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
  await stillWell();
});

test('idle connections do not keep others from being served', async () => {
  const idle = await Promise.all(Array.from({ length: 500 }, open));
  await stillWell();
  for (const socket of idle) socket.destroy();
});

/** On a busy machine a request may wait for so long that it is one of the silent ones: it is asked again, as clients do. */
async function healthOf(url: string, tries = 5): Promise<unknown> {
  try {
    return await (await fetch(`${url}/health`, { headers: { connection: 'close' } })).json();
  } catch (error) {
    if (tries <= 1) throw error;
    return healthOf(url, tries - 1);
  }
}

test('more connections than may be open: the silent ones make room, and the server rests', async () => {
  const [main, model] = ['../../src/server/main.ts', '../data/reference/iris_svc.onnx'].map((file) =>
    join(import.meta.dir, file),
  );
  const program = [process.execPath, '--no-env-file', '--no-install', main].join(' ');
  const child = Bun.spawn(['sh', '-c', `ulimit -n 300; exec ${program}`], {
    env: { HOST: '127.0.0.1', PORT: '0', MODEL_FILEPATH: model },
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const sockets: Socket[] = [];
  try {
    const { value } = await child.stdout.getReader().read();
    const url = /http:\S+/.exec(new TextDecoder().decode(value))?.[0] ?? '';
    for (let i = 0; i < 450; i++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.on('error', () => {});
      // Connections that were used once are kept for longer than those that never were.
      socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
      sockets.push(socket);
    }
    for (let i = 0; i < 20; i++) expect(await healthOf(url)).toEqual({ health: 'ok' });
    const page = await (await fetch(`${url}/metrics`)).text();
    expect(Number(/^inlay_connections_cut_total (\d+)$/m.exec(page)?.[1])).toBeGreaterThan(100);
    expect(Number(/^process_max_fds (\d+)$/m.exec(page)?.[1])).toBe(300);
    expect(Number(/^process_open_fds (\d+)$/m.exec(page)?.[1])).toBeLessThan(300);
    expect(child.exitCode).toBeNull();
  } finally {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
    await child.exited;
  }
}, 120_000);

test('slow uploads take so much memory together, and no more; whoever comes at once is served', async () => {
  const { server, url } = await serveReference({ maxBodiesBytes: 1_000_000, maxBodyBytes: 400_000 });
  const upload = (length: number) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
        socket.write(`${HEAD}Content-Length: ${length}\r\n\r\n{"data"`),
      );
      ending(socket).then(resolve);
      sockets.push(socket);
    });
  const sockets: Socket[] = [];
  const answers = Array.from({ length: 6 }, () => upload(300_000));
  const refused: string[] = [];
  for (const answer of answers) answer.then((text) => refused.push(text));
  while (refused.length < 3) await Bun.sleep(5);
  for (const text of refused) {
    expect(text).toStartWith('HTTP/1.1 503');
    expect(text.toLowerCase()).toContain('retry-after: 1');
  }
  const body = '{"data":[[5.1,3.5,1.4,0.2]]}';
  expect((await fetch(`${url}/predict`, { method: 'POST', body })).status).toBe(200);
  // Those that were let in and then gave up leave their room to others.
  for (const socket of sockets) socket.destroy();
  const answer = async () => {
    const slow = new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('{"data":[[5.1,3.5,'));
        await Bun.sleep(50);
        controller.enqueue(new TextEncoder().encode('1.4,0.2]]}'));
        controller.close();
      },
    });
    return (await fetch(`${url}/predict`, { method: 'POST', body: slow })).status;
  };
  expect(await Promise.all([answer(), answer()])).toEqual([200, 200]);
  await server.close();
});

test('a request with more rows than allowed is refused, by either API', async () => {
  const { server, url } = await serveReference({ maxRequestRows: 3 });
  const rows = (count: number) => Array.from({ length: count }, () => [5.1, 3.5, 1.4, 0.2]);
  const infer = (count: number) => ({
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [count, 4], data: rows(count).flat() }],
  });
  const post = (path: string, body: unknown) => fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
  expect((await post('/predict', { data: rows(3) })).status).toBe(200);
  const refused = await post('/predict', { data: rows(4) });
  expect([refused.status, await refused.json()]).toEqual([
    413,
    { error: expect.objectContaining({ code: 'TOO_MANY_ROWS' }) },
  ]);
  expect((await post('/v2/models/iris/infer', infer(3))).status).toBe(200);
  expect((await post('/v2/models/iris/infer', infer(4))).status).toBe(413);
  await server.close();
});

test('lists nested a hundred thousand deep', async () => {
  const body = `{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const response = await fetch(`${served.url}/predict`, { method: 'POST', body });
  expect(response.status).toBe(400);
  // What is in the way of nothing is refused too.
  const beside = `{"data":[[5.1,3.5,1.4,0.2]],"x":${'['.repeat(120)}${']'.repeat(120)}}`;
  expect((await fetch(`${served.url}/predict`, { method: 'POST', body: beside })).status).toBe(400);
  const parameters = `{"inputs":[],"parameters":${'{"a":'.repeat(120)}1${'}'.repeat(120)}}`;
  expect((await fetch(`${served.url}/v2/models/iris/infer`, { method: 'POST', body: parameters })).status).toBe(400);
  await stillWell();
});

test('millions of empty lists, which would take far more memory than they are long', async () => {
  const body = `{"data":[${new Array(1_500_000).fill('[]').join(',')}]}`;
  const response = await fetch(`${served.url}/predict`, { method: 'POST', body });
  expect([response.status, await response.json()]).toMatchObject([413, { error: { code: 'BODY_TOO_LARGE' } }]);
  await stillWell();
});
