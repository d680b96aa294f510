// What Bun's fetch does under the client, held so that an upgrade that changes it is noticed: bodies of known length in
// constant memory over HTTP and TLS, own certificates, proxies.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { listTags, pullImage, pushImage } from '../../src/registry/index.ts';
import { certificate } from '../certificate.ts';
import { FakeRegistry } from './fake-registry.ts';
import { model, ref, World } from './world.ts';

let world: World;
let cleanup: (() => Promise<unknown> | undefined)[];
beforeEach(() => {
  world = new World();
  cleanup = [];
});
afterEach(async () => {
  for (const clean of cleanup) await clean();
  await world.remove();
});

/** A proxy that leads every name to one port, and keeps what it was asked. */
async function proxyTo(port: number): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server: Server = createServer((_, response) => response.end());
  server.on('connect', (request, socket, head) => {
    seen.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

test('over TLS with its own certificate, through a proxy with a login', async () => {
  const tls = await certificate(world.dir, 'registry.test');
  const fake = await FakeRegistry.start({ tls });
  cleanup.push(() => fake.stop());
  const proxy = await proxyTo(fake.port);
  const env = { HTTPS_PROXY: `http://me:pr0xy-secret@${proxy.url}` };
  const layout = await world.layout();
  const { digest } = await world.image(layout, 'registry.test/ml/iris:1', model());
  const to = ref('registry.test/ml/iris:1');
  const push = (ca?: string) =>
    pushImage({
      registry: world.registry({ env, ...(ca ? { ca } : {}) }),
      layout,
      source: 'registry.test/ml/iris:1',
      to,
    });

  const error = await push().catch((e) => e);
  expect(error.code).toBe('REGISTRY_UNREACHABLE');
  expect(error.message).toContain('certificate is not trusted');
  expect(error.hint).toContain('--ca-file');
  expect(world.slept).toEqual([]);

  expect((await push(tls.cert)).digest).toBe(digest);
  expect(fake.repo('ml/iris').tags.get('1')).toBe(digest);
  expect(proxy.seen[0]).toBe(`registry.test:443 Basic ${btoa('me:pr0xy-secret')}`);
  const pulled = await pullImage({
    registry: world.registry({ env, ca: tls.cert }),
    layout: await world.layout(),
    from: to,
    name: 'x:1',
  });
  expect(pulled.digest).toBe(digest);
});

test('a dead proxy is told, without its password', async () => {
  const env = { HTTPS_PROXY: 'http://me:pr0xy-secret@127.0.0.1:1' };
  const error = await listTags({ registry: world.registry({ env }), reference: ref('registry.test/ml/iris') }).catch(
    (e) => e,
  );
  expect(error.code).toBe('REGISTRY_UNREACHABLE');
  expect(error.message).toContain('the proxy 127.0.0.1:1 refuses');
  expect(JSON.stringify([error.message, error.hint, String(error.cause), error.stack])).not.toContain('pr0xy');
});

test('a registry of plain HTTP is spoken to only when it was allowed, and the error says how', async () => {
  const fake = await FakeRegistry.start();
  cleanup.push(() => fake.stop());
  fake.repo('ml/iris').tags.set('1', 'sha256:x');
  const proxy = await proxyTo(fake.port);
  const env = { HTTPS_PROXY: proxy.url };
  const reference = ref('registry.test:5000/ml/iris');
  const error = await listTags({ registry: world.registry({ env }), reference }).catch((e) => e);
  expect(error.code).toBe('REGISTRY_UNREACHABLE');
  expect(error.hint).toContain('registry.test:5000');
});

test('plain HTTP that was allowed goes through a proxy too', async () => {
  // A proxy gets the whole address, which the fake reads as well as a path.
  const fake = await FakeRegistry.start();
  cleanup.push(() => fake.stop());
  const env = { HTTP_PROXY: `http://me:pr0xy-secret@${fake.host}` };
  const registry = world.registry({ env, insecureRegistries: ['registry.test'] });
  const layout = await world.layout();
  const { digest } = await world.image(layout, 'x:1', model());
  await pushImage({ registry, layout, source: 'x:1', to: ref('registry.test/ml/iris:1') });
  expect(fake.repo('ml/iris').tags.get('1')).toBe(digest);
  expect(fake.seen.every((r) => r.path.startsWith('http://registry.test/v2/'))).toBe(true);
  expect(fake.seen[0]?.headers['proxy-authorization']).toBe(`Basic ${btoa('me:pr0xy-secret')}`);
});

test('a proxy that refuses the login is told by its answer', async () => {
  const proxy = createServer();
  proxy.on('connect', (_, socket) =>
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n'),
  );
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  cleanup.push(async () => proxy.close());
  const env = { HTTPS_PROXY: `http://me:pr0xy-secret@127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const error = await listTags({ registry: world.registry({ env }), reference: ref('registry.test/a/b') }).catch(
    (e) => e,
  );
  expect(error.code).toBe('REGISTRY_UNREACHABLE');
  expect(error.message).toContain('answered 407');
  expect(error.message).not.toContain('pr0xy');
});

test('an empty blob travels', async () => {
  const fake = await FakeRegistry.start();
  cleanup.push(() => fake.stop());
  const layout = await world.layout();
  const { digest } = await world.image(layout, 'x:1', new Uint8Array());
  const to = ref(`${fake.host}/ml/iris:1`);
  await pushImage({ registry: world.registry(), layout, source: 'x:1', to });
  const pulled = await pullImage({ registry: world.registry(), layout: await world.layout(), from: to, name: 'x:1' });
  expect(pulled.digest).toBe(digest);
});

test('a name that does not exist is told after three tries', async () => {
  const error = await listTags({ registry: world.registry(), reference: ref('nowhere.invalid/ml/iris') }).catch(
    (e) => e,
  );
  expect(error.code).toBe('REGISTRY_UNREACHABLE');
  expect(error.message).toContain('nowhere.invalid/ml/iris');
  expect(world.slept.length).toBe(2);
});

test.each(['http', 'https'] as const)(
  'a large blob is pushed and pulled in little memory over %s',
  async (scheme) => {
    const size = 400_000_000;
    const tls = scheme === 'https' ? await certificate(world.dir, 'registry.test') : undefined;
    const child = Bun.spawn([process.execPath, join(import.meta.dir, 'sink.ts'), JSON.stringify(tls ?? null)], {
      stdout: 'pipe',
    });
    cleanup.push(async () => {
      child.kill();
      await child.exited;
    });
    const reader = child.stdout.getReader();
    const port = Number(new TextDecoder().decode((await reader.read()).value));
    const host = scheme === 'https' ? 'registry.test' : `127.0.0.1:${port}`;
    const program = join(import.meta.dir, 'memory-child.ts');
    const proxy = scheme === 'https' ? (await proxyTo(port)).url : '';
    const run = Bun.spawn([process.execPath, program, host, String(size), world.dir, proxy, tls?.cert ?? ''], {
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const { peakMB, baseMB } = JSON.parse(await new Response(run.stdout).text()) as { peakMB: number; baseMB: number };
    expect(peakMB - baseMB).toBeLessThan(150);
  },
  60_000,
);
