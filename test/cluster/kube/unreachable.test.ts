// An API server that is away, or is not the one that the kubeconfig knows.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, Kube } from '../../../src/cluster/kube/index.ts';
import type { InlayError } from '../../../src/error/index.ts';
import { certificate } from '../../certificate.ts';
import { FakeApi } from '../fake-api.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-kube-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const at = (url: string, tls: Awaited<ReturnType<Connection['authenticate']>>['tls'] = {}): Connection => ({
  context: 'fake',
  namespace: 'ml',
  server: new URL(url),
  proxy: undefined,
  authenticate: async () => ({ tls, headers: {} }),
});
const version = (kube: Kube) => kube.json({ step: 'asking for the version', path: '/version' });
const failed = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: InlayError) => error,
  );

test('who waits for it is told once that it is away and once that it is back, whatever is asked meanwhile', async () => {
  const api = new FakeApi();
  api.objects.set('/version', { metadata: { name: 'version' } });
  // Two of each of the three: whichever is asked first, none is answered before all have been refused.
  let left = 6;
  api.fault = () => (left-- > 0 ? 503 : undefined);
  const lines: string[] = [];
  const kube = new Kube(api.kube().connection, { onOutage: (line) => lines.push(line) });
  await Promise.all([version(kube), version(kube), version(kube)]);
  await api.stop();
  expect(lines).toEqual([expect.stringContaining('HTTP 503'), expect.stringContaining('answers again')]);
});

test('one that is away for longer than it is waited for cannot be reached', async () => {
  const closed = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  const { url } = closed;
  await closed.stop(true);
  const lines: string[] = [];
  const error = await failed(version(new Kube(at(url.href), { patienceMs: 0, onOutage: (line) => lines.push(line) })));
  expect([error?.code, lines.length]).toEqual(['CLUSTER_UNREACHABLE', 1]);
  expect(error?.message).toContain('it refuses the connection');
});

// Patience without end: they would never come back if such were waited for.
test('a certificate of another authority, or for another name, is told at once', async () => {
  const own = await certificate(dir, 'api.test');
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', tls: own, fetch: () => Response.json({}) });
  const ask = (tls: Parameters<typeof at>[1]) =>
    failed(version(new Kube(at(server.url.href, tls), { patienceMs: Number.POSITIVE_INFINITY })));
  const stranger = await ask({});
  expect([stranger?.code, stranger?.message]).toEqual([
    'CLUSTER_UNREACHABLE',
    expect.stringContaining('is not trusted'),
  ]);
  const misnamed = await ask({ ca: own.cert });
  expect([misnamed?.code, misnamed?.message]).toEqual([
    'CLUSTER_UNREACHABLE',
    expect.stringContaining('is for another name'),
  ]);
  expect(await ask({ ca: own.cert, serverName: 'api.test' })).toBeUndefined();
  await server.stop(true);
});
