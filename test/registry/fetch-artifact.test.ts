import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInlayError } from '../../src/error/index.ts';
import { MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { openArtifact, parseReference, pushImage } from '../../src/registry/index.ts';
import { FakeRegistry } from './fake-registry.ts';
import { World } from './world.ts';

let world: World;
let fake: FakeRegistry;
let layout: OciLayout;
beforeEach(async () => {
  world = new World();
  fake = await FakeRegistry.start();
  layout = await OciLayout.open(join(world.dir, 'oci'));
});
afterEach(async () => {
  await fake.stop();
  await world.remove();
});

/** Pushes an artifact whose layers have these annotations. */
async function artifact(layers: readonly { bytes: string; annotations?: Record<string, string> }[]): Promise<string> {
  const descriptors = [];
  for (const { bytes, annotations } of layers)
    descriptors.push({
      ...(await layout.putBytes(bytes, 'application/octet-stream')),
      ...(annotations ? { annotations } : {}),
    });
  const config = await layout.putBytes('{}', 'application/vnd.oci.empty.v1+json');
  const manifest = await layout.putJson(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      artifactType: 'application/vnd.example.model',
      config,
      layers: descriptors,
    },
    MEDIA_TYPE.manifest,
  );
  const name = `${fake.host}/ml/iris-onnx:1`;
  await layout.tag(name, manifest);
  await pushImage({ registry: world.registry(), layout, source: name, to: parseReference(name), force: true });
  return manifest.digest;
}

const open = () => openArtifact({ registry: world.registry(), from: parseReference(`${fake.host}/ml/iris-onnx:1`) });
const TITLE = 'org.opencontainers.image.title';

test('an artifact of files has their names and digests, and they arrive whole', async () => {
  const digest = await artifact([{ bytes: 'the model', annotations: { [TITLE]: 'onnx/model.onnx' } }]);
  const found = await open();
  const [file] = found.files;
  if (!file) throw new Error('no file');
  expect(found).toMatchObject({ digest, artifactType: 'application/vnd.example.model' });
  expect(file).toEqual({
    name: 'onnx/model.onnx',
    digest: `sha256:${createHash('sha256').update('the model').digest('hex')}`,
    sizeBytes: 9,
  });
  await found.download(file, world.dir, file.name);
  expect(readFileSync(join(world.dir, 'onnx', 'model.onnx'), 'utf8')).toBe('the model');
});

test('an image, and a packed folder, are no artifacts of files', async () => {
  for (const annotations of [undefined, { [TITLE]: 'model', 'io.deis.oras.content.unpack': 'true' }]) {
    await artifact([{ bytes: JSON.stringify(annotations ?? 'image'), ...(annotations ? { annotations } : {}) }]);
    const error = await open().catch((thrown: unknown) => thrown);
    expect(isInlayError(error) && error.code).toBe('IMAGE_INVALID');
  }
});
