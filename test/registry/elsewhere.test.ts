import { afterEach, beforeEach, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { BASE_NAME, MEDIA_TYPE, manifestSchema, type OciLayout } from '../../src/image/index.ts';
import { fetchImage, pushImage } from '../../src/registry/index.ts';
import { FakeRegistry } from './fake-registry.ts';
import { model, ref, World } from './world.ts';

let world: World;
let fake: FakeRegistry;
let other: FakeRegistry;
beforeEach(async () => {
  world = new World();
  fake = await FakeRegistry.start({});
  other = await FakeRegistry.start({});
});
afterEach(async () => {
  await fake.stop();
  await other.stop();
  await world.remove();
});

/** A pushed image, and an empty layout with an image on its first three layers, which are not there. */
async function onServerImage(): Promise<{ layout: OciLayout; layers: string[] }> {
  const first = await world.layout();
  const server = `${fake.host}/ml/server:1`;
  const pushed = await world.image(first, server, model());
  await pushImage({ registry: world.registry(), layout: first, source: server, to: ref(server) });
  const layout = await world.layout();
  const digest = await fetchImage({ registry: world.registry(), layout, from: ref(server) });
  expect(digest).toBe(pushed.digest);
  const image = await layout.resolve(digest, { os: 'linux', architecture: 'amd64' });
  for (const layer of image.manifest.layers) expect(await layout.has(layer)).toBe(false);
  const own = await layout.putBytes(crypto.getRandomValues(new Uint8Array(50_000)), MEDIA_TYPE.layer);
  const manifest = manifestSchema.parse({
    ...image.manifest,
    layers: [...image.manifest.layers.slice(0, 3), own],
    annotations: { [BASE_NAME]: server },
  });
  await layout.tag('iris', await layout.putJson(manifest, MEDIA_TYPE.manifest));
  return { layout, layers: pushed.layers.slice(0, 3) };
}

test('layers that lie in another repository of the registry are mounted, though they are not here', async () => {
  const { layout, layers } = await onServerImage();
  const to = ref(`${fake.host}/ml/iris:1`);
  const result = await pushImage({ registry: world.registry(), layout, source: 'iris', to });
  expect([...result.mounted].sort()).toEqual([...layers].sort());
  expect(result.sentBytes).toBeLessThan(60_000);
  expect([...fake.repo('ml/iris').tags.keys()]).toEqual(['1']);
});

test('to another registry they are sent on from where they lie', async () => {
  const { layout, layers } = await onServerImage();
  const to = ref(`${other.host}/ml/iris:1`);
  const result = await pushImage({ registry: world.registry(), layout, source: 'iris', to });
  expect(result.mounted).toEqual([]);
  for (const digest of layers) expect(other.repo('ml/iris').blobs.has(digest)).toBe(true);
});

test('what is missing of an image that stands on nothing is still a hole', async () => {
  const layout = await world.layout();
  const image = await world.image(layout, 'holes', model());
  rmSync(layout.blobPath(image.layers[0] as string));
  const to = ref(`${fake.host}/ml/holes:1`);
  await expect(pushImage({ registry: world.registry(), layout, source: 'holes', to })).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
  });
  expect(fake.seen).toEqual([]);
});
