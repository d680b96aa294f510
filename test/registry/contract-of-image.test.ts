import { afterEach, beforeEach, expect, test } from 'bun:test';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isOpaque, type Project, readProject, serializeContract } from '../../src/contract/index.ts';
import { imageLabels } from '../../src/image/facts.ts';
import { MEDIA_TYPE, type OciLayout } from '../../src/image/index.ts';
import { writeLayer } from '../../src/image/layer/layer.ts';
import { modelEntries } from '../../src/image/model-layer.ts';
import { contractOfImage, pushImage } from '../../src/registry/index.ts';
import { FakeRegistry } from './fake-registry.ts';
import { bytesOf, ref, World } from './world.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };

let world: World;
let fake: FakeRegistry;
let project: Project;
beforeEach(async () => {
  world = new World();
  fake = await FakeRegistry.start({});
  const dir = join(world.dir, 'iris');
  cpSync(join(import.meta.dir, '../../examples/iris'), dir, { recursive: true });
  project = await readProject(dir);
  project = { ...project, contract: { ...project.contract, accepted: ['GOLDEN_MISMATCH'] } };
});
afterEach(async () => {
  await fake.stop();
  await world.remove();
});

/** The image of a project on a base that is not one, named `name`. */
async function put(layout: OciLayout, name: string, labels = imageLabels(project, FACTS, '0.1.0')) {
  const base = await layout.putBytes(bytesOf('base', 300_000), MEDIA_TYPE.layer);
  const model = await writeLayer(layout, await modelEntries(project), { compression: 'none', mtimeS: 0 });
  const layers = [base, { ...model.descriptor, annotations: { 'inlay.layer': 'model' } }];
  const config = await layout.putJson(
    {
      ...PLATFORM,
      config: { Labels: labels, User: '65532:65532' },
      rootfs: { type: 'layers', diff_ids: [base.digest, model.diffId] },
    },
    MEDIA_TYPE.config,
  );
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers };
  await layout.tag(name, await layout.putJson(manifest, MEDIA_TYPE.manifest));
  return model.descriptor;
}
const FACTS = { os: 'debian 12', libraries: { onnxruntime: '1.30.0' } };

test('the contract of an image is the one that was built, from the store and from a registry', async () => {
  const layout = await world.layout();
  const name = `${fake.host}/ml/iris:1`;
  await put(layout, name);
  const registry = world.registry();
  const here = await contractOfImage({ registry, layout, reference: name, platform: PLATFORM });
  expect(here).toMatchObject({ from: 'store', contract: project.contract, config: { User: '65532:65532' } });
  expect(isOpaque(here.contract)).toBe(false);

  await pushImage({ registry, layout, source: name, to: ref(name) });
  const empty = await world.layout();
  const there = await contractOfImage({ registry, layout: empty, reference: name, platform: PLATFORM });
  expect(there).toMatchObject({ from: 'registry', contract: project.contract, digest: here.digest });
  // What a deployment needs beside inputs and outputs.
  expect(there.contract).toMatchObject({
    server: { cpu: expect.any(String), memory: expect.any(String) },
    golden: { inImage: true },
    accepted: ['GOLDEN_MISMATCH'],
  });
  expect(there.described.os).toBe('debian 12');
});

test('no more of the model layer is read than the contract', async () => {
  const layout = await world.layout();
  const name = `${fake.host}/ml/iris:1`;
  const model = await put(layout, name);
  const registry = world.registry();
  await pushImage({ registry, layout, source: name, to: ref(name) });
  // Folder, header and contract in blocks of 512 bytes; after them the connection drops, whoever asks.
  const afterBytes = 1024 + Math.ceil(Buffer.byteLength(serializeContract(project.contract)) / 512) * 512;
  expect(afterBytes).toBeLessThan(model.size);
  const asked = fake.seen.length;
  fake.fail({ kind: 'drop-answer', afterBytes, method: 'GET', path: new RegExp(model.digest), times: 99 });
  const empty = await world.layout();
  const found = await contractOfImage({ registry, layout: empty, reference: name, platform: PLATFORM });
  expect(found.contract).toEqual(project.contract);
  expect(fake.seen.slice(asked).filter(({ path }) => path.includes(model.digest)).length).toBe(1);
});

test('a layer that is not in the store is read where the name of the image says', async () => {
  const layout = await world.layout();
  const name = `${fake.host}/ml/iris:1`;
  const model = await put(layout, name);
  const registry = world.registry();
  await pushImage({ registry, layout, source: name, to: ref(name) });
  rmSync(layout.blobPath(model.digest));
  const found = await contractOfImage({ registry, layout, reference: name, platform: PLATFORM });
  expect(found).toMatchObject({ from: 'store', contract: project.contract });
});

test('an image without a contract, or with another than its label says, is refused', async () => {
  const layout = await world.layout();
  const registry = world.registry();
  const code = (reference: string) =>
    contractOfImage({ registry, layout, reference, platform: PLATFORM }).then(
      () => undefined,
      (error) => error.code,
    );
  await put(layout, 'bare:1', {});
  expect(await code('bare:1')).toBe('CONTRACT_INVALID');
  const labels = imageLabels(project, FACTS, '0.1.0');
  await put(layout, 'other:1', { ...labels, 'inlay.contract.digest': `sha256:${'0'.repeat(64)}` });
  expect(await code('other:1')).toBe('CONTRACT_INVALID');
  await put(layout, 'opaque:1', { ...labels, 'inlay.contract': '{"format":"opaque"}' });
  expect(await code('opaque:1')).toBe('CONTRACT_INVALID');
  expect(await code('nowhere:1')).toBe('IMAGE_NOT_FOUND');
});
