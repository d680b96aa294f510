import { afterAll, beforeAll, expect, test } from 'bun:test';
import http2 from 'node:http2';
import { createLog, DEFAULT_SETTINGS, openGrpc } from '../../../src/server/index.ts';
import { DATA, END_STREAM, HEADERS, PREFACE_BYTES, RST_STREAM } from '../../../src/server/oip/grpc/frames.ts';
import { OpenMessages } from '../../../src/server/oip/grpc/open-messages.ts';
import { serveReference } from '../serving.ts';

const SETTINGS = 4;

function frame(type: number, flags: number, stream: number, bytes = 0): Buffer {
  const head = Buffer.alloc(9 + bytes);
  head.writeUIntBE(bytes, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return head;
}

/** What a connection holds after each of these, whatever the pieces they come in. */
function heldAfter(frames: readonly { readonly sent?: boolean; readonly bytes: Buffer }[], piece: number): number[] {
  let total = 0;
  const open = new OpenMessages((bytes) => {
    total += bytes;
  });
  open.received(Buffer.alloc(PREFACE_BYTES));
  return frames.map(({ sent, bytes }) => {
    for (let at = 0; at < bytes.length; at += piece)
      if (sent) open.sent(bytes.subarray(at, at + piece));
      else open.received(bytes.subarray(at, at + piece));
    expect(open.bytes).toBe(total);
    return total;
  });
}

test.each([1, 2, 7, 9, 10, 1000])(
  'messages count until they are whole, or nobody goes on with them (pieces of %i)',
  (piece) => {
    const frames = [
      { bytes: frame(SETTINGS, 0, 0, 12) },
      { bytes: frame(HEADERS, 4, 1, 40) },
      { bytes: frame(DATA, 0, 1, 300) },
      { bytes: frame(DATA, 0, 3, 70_000) },
      { bytes: frame(DATA, END_STREAM, 1, 20) },
      { bytes: frame(DATA, 0, 5, 5) },
      { sent: true, bytes: frame(RST_STREAM, 0, 5, 4) },
      { bytes: frame(DATA, 0, 0x7fffffff, 6) },
      { sent: true, bytes: frame(HEADERS, END_STREAM | 4, 0x7fffffff, 20) },
      { bytes: frame(RST_STREAM, 0, 3, 4) },
    ];
    expect(heldAfter(frames, piece)).toEqual([0, 0, 300, 70_300, 70_000, 70_005, 70_000, 70_006, 70_000, 0]);
  },
);

let iris: Awaited<ReturnType<typeof serveReference>>;
let grpc: NonNullable<ReturnType<typeof openGrpc>>;
beforeAll(async () => {
  iris = await serveReference();
  const settings = {
    ...DEFAULT_SETTINGS,
    ...{ host: '127.0.0.1', grpc: { port: 0, asked: true }, maxBodiesBytes: 1_000_000, maxBodyBytes: 500_000 },
  };
  grpc = openGrpc(
    iris.server,
    settings,
    createLog('ERROR', 'TEXT', () => {}),
  ) as typeof grpc;
});
afterAll(async () => {
  await grpc.close(0);
  await iris.server.close();
  await iris.engine.close();
});

const CALL = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

/** A client that starts so many calls and ends none; it resolves when the server closes its connection. */
function endless(calls: number): { readonly session: http2.ClientHttp2Session; readonly closed: Promise<void> } {
  const session = http2.connect(`http://127.0.0.1:${grpc.port}`);
  session.on('error', () => {});
  const closed = new Promise<void>((resolve) => session.on('close', () => resolve()));
  const part = Buffer.alloc(5 + 100_000);
  part.writeUInt32BE(400_000, 1);
  for (let i = 0; i < calls; i++) {
    const stream = session.request({ ...CALL, ':path': '/inference.GRPCInferenceService/ModelInfer' });
    stream.on('error', () => {});
    stream.write(part);
  }
  return { session, closed };
}

test('messages that do not end: the connection with most of them is closed, others are served', async () => {
  const few = endless(2);
  const many = endless(12);
  await many.closed;
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const stream = few.session.request({ ...CALL, ':path': '/inference.GRPCInferenceService/ServerLive' });
    const parts: Buffer[] = [];
    stream.on('data', (data: Buffer) => parts.push(data));
    stream.on('end', () => resolve(Buffer.concat(parts)));
    stream.on('error', reject);
    stream.end(Buffer.alloc(5));
  });
  // A message of two bytes: field 1, true.
  expect([...answer]).toEqual([0, 0, 0, 0, 2, 8, 1]);
  few.session.destroy();
});
