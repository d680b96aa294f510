import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
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

test('lists nested a hundred thousand deep', async () => {
  const body = `{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const response = await fetch(`${served.url}/predict`, { method: 'POST', body });
  expect(response.status).toBe(400);
  await stillWell();
});
