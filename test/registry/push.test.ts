import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { pushImage } from '../../src/registry/index.ts';
import { FakeRegistry, type RegistryTraits } from './fake-registry.ts';
import { model, ref, World } from './world.ts';

let world: World;
let fake: FakeRegistry;
const start = async (traits: RegistryTraits = {}) => {
  await fake?.stop();
  fake = await FakeRegistry.start(traits);
};
beforeEach(async () => {
  world = new World();
  await start();
});
afterEach(async () => {
  await fake.stop();
  await world.remove();
});

async function push(name: string, bytes = model(), more: Partial<Parameters<typeof pushImage>[0]> = {}) {
  const layout = more.layout ?? (await world.layout());
  const image = await world.image(layout, `${fake.host}/${name}`, bytes);
  const result = await pushImage({
    registry: world.registry(),
    layout,
    source: `${fake.host}/${name}`,
    to: ref(`${fake.host}/${name}`),
    ...more,
  });
  return { image, result, layout };
}

test('an image arrives whole, and the result says what went how', async () => {
  const { image, result } = await push('ml/iris:1');
  const repo = fake.repo('ml/iris');
  expect(repo.tags.get('1')).toBe(image.digest);
  expect(result.digest).toBe(image.digest);
  expect(result.reference).toBe(`${fake.host}/ml/iris:1@${image.digest}`);
  // Four layers, config, manifest, index.
  expect(result.uploaded.length).toBe(7);
  expect([result.mounted, result.existing]).toEqual([[], []]);
  expect(result.sentBytes).toBeGreaterThan(2_450_000);
  expect(result.sentBytes).toBe(fake.seen.reduce((sum, r) => sum + r.bodyBytes, 0));
});

test('blobs go up in one PUT with its length, before manifests, before the tag', async () => {
  await push('ml/iris:1');
  const puts = fake.seen.filter((r) => r.method === 'PUT');
  expect(puts.every((r) => r.headers['transfer-encoding'] === undefined && r.headers['content-length'])).toBe(true);
  expect(fake.seen.some((r) => r.method === 'PATCH')).toBe(false);
  expect(puts.map((r) => /blobs|sha256:|manifests\/1$/.exec(r.path)?.[0])).toEqual([
    ...Array(5).fill('blobs'),
    'sha256:',
    'manifests/1',
  ]);
});

test('a retrained model takes at most 8 requests besides GET and sends its layer and little more', async () => {
  await push('ml/iris:0.0.1');
  fake.reset();
  const { image, result } = await push('ml/iris:0.0.2', model(60_000));
  expect(fake.writes().length).toBeLessThanOrEqual(8);
  expect(result.sentBytes).toBeLessThan(60_000 + 20_000);
  expect(result.uploaded).toContain(image.modelDigest);
  expect(result.existing.toSorted()).toEqual(image.layers.slice(0, 3).toSorted());
});

test('pushing the same image again sends nothing', async () => {
  const bytes = model();
  await push('ml/iris:1', bytes);
  fake.reset();
  const { result } = await push('ml/iris:1', bytes);
  expect([result.uploaded, result.sentBytes]).toEqual([[], 0]);
  expect(result.existing.length).toBe(7);
});

test('a tag that names another image is refused with both digests, before anything is sent; force overwrites', async () => {
  const first = await push('ml/iris:1');
  fake.reset();
  const error = await push('ml/iris:1').catch((e) => e);
  expect(error.code).toBe('TAG_EXISTS');
  expect(error.message).toContain(first.image.digest);
  expect(error.message).toMatch(/this image is sha256:[0-9a-f]{64}/);
  expect(fake.writes()).toEqual([]);
  const { image } = await push('ml/iris:1', model(), { force: true });
  expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
});

test('several tags name one image', async () => {
  const { image } = await push('ml/iris:1', model(), { tags: ['latest', '1'] });
  expect([...fake.repo('ml/iris').tags]).toEqual([
    ['1', image.digest],
    ['latest', image.digest],
  ]);
});

test('layers that a sibling repository has are mounted', async () => {
  const { layout } = await push('ml/iris:1');
  fake.reset();
  const { image, result } = await push('ml/wine:1', model(), { layout });
  expect(result.mounted.toSorted()).toEqual(image.layers.slice(0, 3).toSorted());
  expect(result.sentBytes).toBeLessThan(70_000);
});

test('a registry that does not mount gets the upload that it answered with', async () => {
  await start({ mounts: false });
  const { layout } = await push('ml/iris:1');
  fake.reset();
  const { image, result } = await push('ml/wine:1', model(), { layout });
  expect(result.mounted).toEqual([]);
  expect(fake.repo('ml/wine').tags.get('1')).toBe(image.digest);
  const opened = fake.seen.filter((r) => r.method === 'POST');
  expect(opened.length).toBe(5);
});

test('a registry that has lost a blob of an older image gets it again', async () => {
  const { image } = await push('ml/iris:1');
  fake.repo('ml/iris').blobs.delete(image.layers[1] as string);
  const second = await push('ml/iris:2');
  expect(second.result.uploaded).toContain(image.layers[1] as string);
  expect(fake.repo('ml/iris').tags.get('2')).toBe(second.image.digest);
});

test('an image with a missing blob is refused before anything is sent', async () => {
  const layout = await world.layout();
  const image = await world.image(layout, `${fake.host}/ml/iris:1`, model());
  await Bun.file(layout.blobPath(image.modelDigest)).delete();
  const to = ref(`${fake.host}/ml/iris:1`);
  const error = await pushImage({ registry: world.registry(), layout, source: `${fake.host}/ml/iris:1`, to }).catch(
    (e) => e,
  );
  expect(error.code).toBe('IMAGE_INVALID');
  expect(fake.seen).toEqual([]);
});

describe('uploads that break', () => {
  test.each([
    ['the registry keeps what arrived', false],
    ['the registry forgets it', true],
  ])('a dropped connection is taken up again: %s', async (_, forget) => {
    fake.fail({ kind: 'drop-request', method: 'PUT', path: /uploads/, afterBytes: 40_000, times: 2, forget });
    const { image, result } = await push('ml/iris:1', model(3_000_000));
    expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
    if (forget) expect(result.sentBytes).toBeGreaterThan(5_400_000);
    else
      expect(fake.seen.some((r) => r.method === 'PATCH' && r.headers['content-range']?.match(/^[1-9]\d*-/))).toBe(true);
    expect(world.slept.length).toBeGreaterThan(0);
  });

  test('a session that the registry has forgotten is opened anew', async () => {
    fake.fail({ kind: 'forget-upload', method: 'PUT', times: 3 });
    const { image } = await push('ml/iris:1');
    expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
  });

  test('a lost answer does not send the blob twice', async () => {
    fake.fail({ kind: 'lose-answer', method: 'PUT', path: /uploads/, times: 1 });
    const { result } = await push('ml/iris:1');
    expect(result.sentBytes).toBeLessThan(2_460_000);
  });

  test('a token that runs out in the middle of an upload is renewed', async () => {
    await start({ auth: 'bearer' });
    const registry = world.registry({ env: { INLAY_REGISTRY_USERNAME: 'user', INLAY_REGISTRY_PASSWORD: 'password' } });
    fake.fail({ kind: 'expire', method: 'PUT', path: /uploads/, afterBytes: 30_000, times: 2 });
    const { image } = await push('ml/iris:1', model(), { registry });
    expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
    expect(fake.tokensIssued).toBeGreaterThan(1);
  });

  test('a token is renewed before its end, without a refused request', async () => {
    await start({ auth: 'bearer', tokenLifeS: 100 });
    const registry = world.registry({ env: { INLAY_REGISTRY_USERNAME: 'user', INLAY_REGISTRY_PASSWORD: 'password' } });
    fake.fail({ kind: 'status', status: 503, method: 'PUT', path: /uploads/, headers: { 'retry-after': '90' } });
    await push('ml/iris:1', model(), { registry });
    expect(fake.tokensIssued).toBeGreaterThanOrEqual(2);
    expect(fake.seen.filter((r) => r.status === 401).length).toBe(1);
  });

  test.each([400, 413] as const)('a registry that answers %d to one large PUT gets chunks', async (refuseWhole) => {
    await start({ refuseWhole, minChunkBytes: 500_000 });
    const { image } = await push('ml/iris:1', model(), { registry: world.registry({ chunkBytes: 100_000 }) });
    expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
    const chunks = fake.seen.filter((r) => r.method === 'PATCH').map((r) => r.bodyBytes);
    expect(chunks.filter((n) => n === 500_000).length).toBe(4);
    expect(Math.max(...chunks)).toBe(500_000);
  });

  test('chunks that are too large are halved, those that drop are taken up again', async () => {
    await start({ refuseWhole: 413, maxChunkBytes: 300_000 });
    fake.fail({ kind: 'drop-request', method: 'PATCH', afterBytes: 70_000, times: 2 });
    fake.fail({ kind: 'lose-answer', method: 'PATCH', times: 2 });
    const { image } = await push('ml/iris:1', model(), { registry: world.registry({ chunkBytes: 1_000_000 }) });
    expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
  });

  test('bytes that were bent on the way are sent again; twice is an error', async () => {
    fake.fail({ kind: 'corrupt', method: 'PUT', path: /uploads/ });
    const { image } = await push('ml/iris:1');
    expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
    fake.fail({ kind: 'corrupt', method: 'PUT', path: /uploads/, times: 20 });
    const error = await push('ml/iris:2').catch((e) => e);
    expect(error.code).toBe('INTEGRITY_MISMATCH');
    expect(fake.repo('ml/iris').tags.has('2')).toBe(false);
  });
});

describe('registries that are busy or ill', () => {
  test('429 waits as long as it is told', async () => {
    fake.fail({ kind: 'status', status: 429, headers: { 'retry-after': '7' }, times: 3 });
    const { image } = await push('ml/iris:1');
    expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
    expect(world.slept.filter((ms) => ms === 7000).length).toBe(3);
  });

  test('a Retry-After beyond patience ends at once, and says so', async () => {
    fake.fail({ kind: 'status', status: 429, headers: { 'retry-after': '86400' }, times: 99 });
    const error = await push('ml/iris:1').catch((e) => e);
    expect(error.code).toBe('REGISTRY_BUSY');
    expect(error.message).toContain('86400 s');
    expect(world.slept).toEqual([]);
  });

  test.each([500, 502, 503, 504])('%d is tried again with growing waits, then told', async (status) => {
    fake.fail({ kind: 'status', status, method: 'POST', times: 1 });
    await push('ml/iris:1');
    fake.fail({
      kind: 'status',
      status,
      method: 'POST',
      times: 999,
      body: '<html><body>down for <b>cleaning</b></body></html>',
    });
    world.slept.length = 0;
    const error = await push('ml/iris:2', model(), { registry: world.registry({ concurrency: 1 }) }).catch((e) => e);
    expect(error.code).toBe('REGISTRY_FAILED');
    expect(error.message).toContain(`${fake.host}/ml/iris`);
    expect(error.message).toContain(`${status} (down for cleaning) after 6 tries`);
    expect(error.hint).toContain('again');
    expect(world.slept).toEqual([225, 450, 900, 1800, 3600]);
    expect(fake.repo('ml/iris').tags.has('2')).toBe(false);
  });

  test('nothing is tagged when a manifest cannot be stored', async () => {
    fake.fail({ kind: 'status', status: 500, method: 'PUT', path: /manifests/, times: 99 });
    const error = await push('ml/iris:1').catch((e) => e);
    expect(error.code).toBe('REGISTRY_FAILED');
    expect(fake.repo('ml/iris').tags.size).toBe(0);
  });

  test('a registry that is not there is told after three tries, with its host', async () => {
    const { host } = fake;
    await fake.stop();
    const layout = await world.layout();
    await world.image(layout, 'x:1', model());
    const to = ref(`${host}/ml/iris:1`);
    const error = await pushImage({ registry: world.registry(), layout, source: 'x:1', to }).catch((e) => e);
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.message).toContain(`${host}/ml/iris`);
    expect(error.message).toContain('refuses the connection');
    expect(error.hint).toContain(host);
    expect(world.slept.length).toBe(2);
    await start();
  });

  test('a connection on which nothing moves counts as dropped', async () => {
    fake.fail({ kind: 'delay', ms: 3000, method: 'POST' });
    const { image } = await push('ml/iris:1', model(), { registry: world.registry({ idleTimeoutMs: 1000 }) });
    expect(fake.repo('ml/iris').tags.get('1')).toBe(image.digest);
  });
});

test('an abort ends the push at once, and the next one goes on from there', async () => {
  const abort = new AbortController();
  fake.fail({ kind: 'delay', ms: 2000, method: 'PUT', path: /uploads/, times: 1 });
  const bytes = model(400_000);
  const layout = await world.layout();
  const started = performance.now();
  setTimeout(() => abort.abort(), 300);
  const error = await push('ml/iris:1', bytes, { layout, signal: abort.signal }).catch((e) => e);
  expect(error.code).toBe('INTERRUPTED');
  expect(performance.now() - started).toBeLessThan(1500);
  expect(fake.repo('ml/iris').tags.size).toBe(0);
  const sofar = fake.repo('ml/iris').blobs.size;
  expect(sofar).toBeGreaterThan(0);
  const { result } = await push('ml/iris:1', bytes, { layout });
  expect(result.existing.length).toBeGreaterThan(0);
});

test('progress counts the bytes that are to be sent, and ends at all of them', async () => {
  const seen: { doneBytes: number; totalBytes: number }[] = [];
  fake.fail({ kind: 'drop-request', method: 'PUT', path: /uploads/, afterBytes: 50_000, times: 1, forget: true });
  await push('ml/iris:1', model(), { onProgress: (p) => seen.push(p) });
  const last = seen.at(-1);
  expect(last?.doneBytes).toBe(last?.totalBytes as number);
  expect(last?.totalBytes).toBeGreaterThan(2_450_000);
});
