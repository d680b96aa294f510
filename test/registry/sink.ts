// A registry that keeps no large blob: takes them of any size, and gives zeros back. A program, so that its memory is its own.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const tls = JSON.parse(process.argv[2] ?? 'null') as { key: string; cert: string } | null;
const manifests = new Map<string, { bytes: Buffer; type: string }>();
const sizes = new Map<string, number>();
const small = new Map<string, Buffer>();
const zeros = Buffer.alloc(1 << 20);

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://x');
  const id = url.pathname.split('/').at(-1) ?? '';
  let size = 0;
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size < 1e6) chunks.push(chunk);
  }
  if (request.method === 'POST') return void response.writeHead(202, { location: `${url.pathname}one` }).end();
  if (request.method === 'PUT' && url.pathname.includes('/manifests/')) {
    const bytes = Buffer.concat(chunks);
    const digest = `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`;
    for (const key of [id, digest]) manifests.set(key, { bytes, type: request.headers['content-type'] ?? '' });
    return void response.writeHead(201).end();
  }
  if (request.method === 'PUT') {
    sizes.set(url.searchParams.get('digest') ?? '', size);
    if (size < 1e6) small.set(url.searchParams.get('digest') ?? '', Buffer.concat(chunks));
    return void response.writeHead(201).end();
  }
  const manifest = url.pathname.includes('/manifests/') ? manifests.get(id) : undefined;
  if (manifest)
    return void response
      .writeHead(200, { 'content-type': manifest.type, 'content-length': manifest.bytes.length })
      .end(manifest.bytes);
  const length = sizes.get(id);
  if (length === undefined || request.method === 'HEAD') return void response.writeHead(404).end();
  response.writeHead(200, { 'content-length': length });
  const kept = small.get(id);
  if (kept) return void response.end(kept);
  for (let at = 0; at < length; at += zeros.length)
    if (!response.write(zeros.subarray(0, Math.min(zeros.length, length - at))))
      await new Promise((resolve) => response.once('drain', resolve));
  response.end();
}

const listener = (request: IncomingMessage, response: ServerResponse) => void handle(request, response);
const server = tls ? createTlsServer(tls, listener) : createServer(listener);
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
