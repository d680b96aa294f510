import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { OciLayout, tryLock } from '../../src/image/index.ts';
import { pullImage, pushImage } from '../../src/registry/index.ts';
import { FakeRegistry, type RegistryTraits } from './fake-registry.ts';
import { model, ref, World } from './world.ts';

let world: World;
let fake: FakeRegistry;
let digest: string;
let layers: readonly string[];
let storage: FakeRegistry | undefined;

async function start(traits: RegistryTraits = {}, env: Record<string, string> = {}): Promise<void> {
  await fake?.stop();
  fake = await FakeRegistry.start(traits);
  const layout = await world.layout();
  const name = `${fake.host}/ml/iris:1`;
  ({ digest, layers } = await world.image(layout, name, model(), ['amd64', 'arm64']));
  await pushImage({ registry: world.registry({ env }), layout, source: name, to: ref(name) });
  world.slept.length = 0;
  fake.reset();
}
beforeEach(async () => {
  world = new World();
  await start();
});
afterEach(async () => {
  await fake.stop();
  await storage?.stop();
  storage = undefined;
  await world.remove();
});

async function pull(more: Partial<Parameters<typeof pullImage>[0]> = {}) {
  const layout = more.layout ?? (await world.layout());
  const name = `${fake.host}/ml/iris:1`;
  return { layout, result: await pullImage({ registry: world.registry(), layout, from: ref(name), name, ...more }) };
}
const left = (layout: OciLayout) =>
  readdirSync(join(layout.dir, 'blobs')).filter((name) => /^\.(tmp|partial)/.test(name));

test('what was pushed comes back with the same digest and all platforms', async () => {
  const { layout, result } = await pull();
  expect(result.digest).toBe(digest);
  expect(result.downloaded.length).toBe(6);
  for (const architecture of ['amd64', 'arm64'])
    expect((await layout.resolve(`${fake.host}/ml/iris:1`, { os: 'linux', architecture })).digest).toBe(digest);
  expect(left(layout)).toEqual([]);
});

test('what is here is not fetched again', async () => {
  const { layout } = await pull();
  fake.reset();
  const { result } = await pull({ layout });
  expect([result.downloaded, result.receivedBytes]).toEqual([[], 0]);
  expect(fake.seen.some((r) => r.path.includes('/blobs/'))).toBe(false);
});

test('what is here is marked as used, so that a prune beside the pull leaves it', async () => {
  const { layout } = await pull();
  const then = new Date(Date.now() - 10 * 86_400_000);
  for (const layer of layers) utimesSync(layout.blobPath(layer), then, then);
  await pull({ layout });
  for (const layer of layers) expect(statSync(layout.blobPath(layer)).mtimeMs).toBeGreaterThan(then.getTime());
});

test('by digest', async () => {
  const { result } = await pull({ from: ref(`${fake.host}/ml/iris@${digest}`) });
  expect(result.digest).toBe(digest);
});

describe('downloads that break', () => {
  test('a dropped connection goes on where it ended', async () => {
    fake.fail({ kind: 'drop-answer', path: /blobs/, afterBytes: 20_000, times: 3 });
    const { result } = await pull();
    expect(result.digest).toBe(digest);
    expect(fake.seen.some((r) => /^bytes=[1-9]/.test(r.headers.range ?? ''))).toBe(true);
  });

  test('also where the registry knows no ranges', async () => {
    await start({ ranges: false });
    fake.fail({ kind: 'drop-answer', path: /blobs/, afterBytes: 20_000, times: 2 });
    expect((await pull()).result.digest).toBe(digest);
  });

  test('an answer that ends early in an orderly way is not taken for the whole', async () => {
    fake.fail({ kind: 'truncate', path: /blobs/, afterBytes: 20_000, times: 2 });
    expect((await pull()).result.digest).toBe(digest);
  });

  test('damaged bytes are fetched once more, then told; nothing damaged stays', async () => {
    fake.fail({ kind: 'corrupt', path: /blobs/, times: 1 });
    expect((await pull()).result.digest).toBe(digest);
    fake.fail({ kind: 'corrupt', path: new RegExp(`blobs/${layers[1]}`), times: 9 });
    const layout = await world.layout();
    const error = await pull({ layout }).catch((e) => e);
    expect(error.code).toBe('INTEGRITY_MISMATCH');
    expect(error.message).toContain(`${fake.host}/ml/iris`);
    expect(left(layout)).toEqual([]);
    expect(await layout.references()).toEqual([]);
    expect(await Bun.file(layout.blobPath(layers[1] as string)).exists()).toBe(false);
  });

  test('a damaged manifest is refused', async () => {
    fake.fail({ kind: 'corrupt', path: /manifests/, times: 9 });
    expect((await pull().catch((e) => e)).code).toBe('INTEGRITY_MISMATCH');
  });

  test('a blob that is gone is told', async () => {
    fake.repo('ml/iris').blobs.delete(layers[3] as string);
    const error = await pull().catch((e) => e);
    expect(error.code).toBe('REGISTRY_NOT_FOUND');
    expect(error.message).toContain(layers[3] as string);
  });

  test('a page of a proxy instead of a manifest is told', async () => {
    fake.fail({ kind: 'status', status: 200, path: /manifests/, body: '<html>log in</html>', times: 9 });
    expect((await pull().catch((e) => e)).code).toBe('IMAGE_INVALID');
  });
});

test('an image that is not there', async () => {
  const error = await pull({ from: ref(`${fake.host}/ml/iris:nope`) }).catch((e) => e);
  expect(error.code).toBe('REGISTRY_NOT_FOUND');
  expect(error.message).toContain(`reading nope failed at ${fake.host}/ml/iris`);
});

test('a redirect to the storage is followed without the login', async () => {
  storage = await FakeRegistry.start();
  const env = { INLAY_REGISTRY_USERNAME: 'user', INLAY_REGISTRY_PASSWORD: 'password' };
  await start({ auth: 'bearer', storage: `http://${storage.host}` }, env);
  for (const [key, bytes] of fake.repo('ml/iris').blobs) storage.repo('ml/iris').blobs.set(key, bytes);
  storage.fail({ kind: 'drop-answer', path: /blobs/, afterBytes: 20_000, times: 2 });
  const { result } = await pull({ registry: world.registry({ env }) });
  expect(result.digest).toBe(digest);
  expect(storage.seen.length).toBeGreaterThanOrEqual(6);
  expect(storage.seen.every((r) => r.headers.authorization === undefined)).toBe(true);
  // The signature in the address is a secret too.
  storage.fail({ kind: 'status', status: 403, times: 99, body: 'denied https://s/x?signature=s3cr3t-signature' });
  const error = await pull({ registry: world.registry({ env }) }).catch((e) => e);
  expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
  expect(JSON.stringify([error.message, error.hint, error.stack])).not.toContain('s3cr3t');
});

test('redirects without end are refused', async () => {
  await start({ storage: 'http://127.0.0.1:1' });
  fake.fail({ kind: 'status', status: 307, path: /blobs/, headers: { location: '?again=1' }, times: 99 });
  const error = await pull().catch((e) => e);
  expect(error.code).toBe('REGISTRY_FAILED');
  expect(error.message).toContain('redirects more than 5 times');
});

describe('what an earlier pull has fetched of a blob', () => {
  const MAIN = join(import.meta.dir, '..', '..', 'src', 'cli', 'main.ts');
  const BIG = 6_000_000;
  /** Pushes an image with a big layer, whose download drops so often after 2 MB. @returns the digest of that layer */
  async function pushBig(drops = 0, sizeBytes = BIG): Promise<string> {
    const layout = await world.layout();
    const name = `${fake.host}/ml/iris:1`;
    const { modelDigest } = await world.image(layout, name, model(sizeBytes));
    await pushImage({ registry: world.registry(), layout, source: name, to: ref(name), force: true });
    fake.reset();
    if (drops > 0)
      fake.fail({ kind: 'drop-answer', afterBytes: 2_000_000, path: new RegExp(modelDigest), times: drops });
    return modelDigest;
  }
  const ranges = (of: string) => fake.seen.filter(({ path }) => path.includes(of)).map(({ headers }) => headers.range);

  test.each(['SIGKILL', 'SIGINT'] as const)(
    'is kept when %s ends it, and the next one goes on from there',
    async (signal) => {
      const big = await pushBig(8, 4 * BIG);
      const home = join(world.dir, 'home');
      const args = ['pull', `${fake.host}/ml/iris:1`];
      const start = () =>
        Bun.spawn([process.execPath, '--no-env-file', MAIN, ...args], {
          env: { PATH: process.env.PATH ?? '', HOME: world.dir, INLAY_HOME: home },
          stdout: 'ignore',
          stderr: 'ignore',
        });
      const first = start();
      // What the second answer brought has been written when a third is asked for, but for what is on its way to the disk.
      while (ranges(big).length < 3) await Bun.sleep(5);
      first.kill(signal);
      await first.exited;
      fake.reset();
      expect(await start().exited).toBe(0);
      const asked = ranges(big);
      expect(Number(/^bytes=(\d+)-/.exec(asked[0] ?? '')?.[1])).toBeGreaterThanOrEqual(2_000_000);
      const layout = await OciLayout.open(join(home, 'oci'));
      expect(new Bun.CryptoHasher('sha256').update(await layout.readBytes(big)).digest('hex')).toBe(big.slice(7));
      expect(left(layout)).toEqual([]);
    },
  );

  test('is thrown away where it is not what the digest says', async () => {
    const big = await pushBig();
    const layout = await world.layout();
    writeFileSync(join(layout.dir, 'blobs', `.partial-${big.replace(':', '-')}-0-x`), new Uint8Array(3_000_000));
    await pull({ layout });
    expect(ranges(big)).toEqual(['bytes=3000000-5999999', undefined]);
    expect(left(layout)).toEqual([]);
  });

  test('is left alone while somebody writes it, in whatever container that is', async () => {
    const big = await pushBig();
    const layout = await world.layout();
    // Of a process that nobody sees from here.
    const name = `.partial-${big.replace(':', '-')}-4194303-x`;
    const path = join(layout.dir, 'blobs', name);
    writeFileSync(path, new Uint8Array(3_000_000));
    const writer = await open(path, 'a+');
    try {
      expect(tryLock(writer)).toBe(true);
      await pull({ layout });
      expect(ranges(big)).toEqual([undefined]);
      expect(left(layout)).toEqual([name]);
    } finally {
      await writer.close();
    }
  });

  test('is fetched by two at once, each by itself', async () => {
    const big = await pushBig();
    const layout = await world.layout();
    await Promise.all([pull({ layout }), pull({ layout })]);
    expect(new Bun.CryptoHasher('sha256').update(await layout.readBytes(big)).digest('hex')).toBe(big.slice(7));
    expect(left(layout)).toEqual([]);
  });
});

test('an abort leaves no file behind', async () => {
  const abort = new AbortController();
  fake.fail({ kind: 'delay', ms: 1500, path: /blobs/, times: 2 });
  setTimeout(() => abort.abort(), 200);
  const layout = await world.layout();
  const error = await pull({ layout, signal: abort.signal }).catch((e) => e);
  expect(error.code).toBe('INTERRUPTED');
  expect(left(layout)).toEqual([]);
});
