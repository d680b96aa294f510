import { afterAll, beforeAll, expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { readProject } from '../../src/contract/index.ts';
import { serverLabels } from '../../src/image/facts.ts';
import { MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { modelEnvironment } from '../../src/image/model-layer.ts';
import { RUNTIME_LOCK } from '../../src/image/runtime/lock.ts';
import { sharedOf } from '../../src/image/shared-layers.ts';
import { transformLayer, transformMaterials } from '../../src/image/transform-layer.ts';
import { healthy, healthyDigits } from '../broken/projects.ts';
import { materialsOf } from '../supply/world.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-transform-layer-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function layerOf(project: string, home = join(dir, 'home')) {
  const layout = await OciLayout.open(join(home, 'oci'));
  const options = { home, compression: 'zstd', lockPath: '', inlayVersion: '0', epochS: 0, env: {} } as const;
  const layers = await transformLayer(layout, await readProject(project), options);
  return { layout, layers };
}

test('a transform is a layer of its own, the same bytes from two clones, and a retrained model leaves it as it is', async () => {
  const [one, two] = [join(dir, 'one'), join(dir, 'another', 'deeper')];
  healthyDigits(one);
  healthyDigits(two);
  const first = await layerOf(one);
  const [layer] = first.layers;
  expect([layer?.kind, layer?.contents, layer?.reused]).toEqual(['transform', 'transform.ts', false]);
  const [second] = (await layerOf(two, join(dir, 'other-home'))).layers;
  expect(second?.descriptor).toEqual(layer?.descriptor as never);

  // Another model: one more byte of what nobody reads.
  appendFileSync(join(one, 'models', 'digits.onnx'), Uint8Array.of(0x12, 0x01, 0x78));
  expect((await readProject(one)).contract.model.digest).not.toBe((await readProject(two)).contract.model.digest);
  const [retrained] = (await layerOf(one)).layers;
  expect(retrained).toMatchObject({ reused: true, descriptor: layer?.descriptor as never });

  const names: string[] = [];
  const tar = extract();
  tar.on('entry', ({ name }, stream, next) => {
    names.push(name);
    stream.resume();
    stream.on('end', next);
  });
  const done = new Promise<void>((resolve) => tar.on('finish', () => resolve()));
  tar.end(Buffer.from(Bun.zstdDecompressSync(await first.layout.readBytes(layer?.descriptor.digest ?? ''))));
  await done;
  expect(names).toEqual(['transform/', 'transform/transform.js']);
});

test('where there is none there is no layer, and no variable', async () => {
  const iris = join(dir, 'iris');
  healthy(iris);
  expect((await layerOf(iris)).layers).toEqual([]);
  const project = await readProject(iris);
  expect(Object.keys(modelEnvironment(project))).not.toContain('TRANSFORM_DIR');
  expect(await transformMaterials(project)).toEqual({});
});

test('the image says where it lies and which packages are in it', async () => {
  const digits = join(dir, 'digits');
  healthyDigits(digits);
  const project = await readProject(digits);
  expect(modelEnvironment(project)).toMatchObject({ TRANSFORM_DIR: '/transform' });
  const { transform } = await transformMaterials(project);
  expect(transform?.map(({ name, licence }) => [name, licence])).toEqual([
    ['fast-png', 'MIT'],
    ['fflate', 'MIT'],
    ['iobuffer', 'MIT'],
    ['jpeg-js', 'BSD-3-Clause'],
  ]);
  expect(readdirSync(project.transform?.dir ?? '')).toEqual(['transform.js']);
});

test('a shared server image that knows no transforms is refused for a model that has one', async () => {
  const layout = await OciLayout.open(join(dir, 'servers'));
  const { manifest: _, ...materials } = materialsOf({ mediaType: '', digest: '', size: 0 });
  const facts = { os: 'debian 12', libraries: { onnxruntime: RUNTIME_LOCK['onnxruntime-node']?.version ?? '' } };
  const labels = serverLabels(facts, materials, '0.1.0');
  const platform = { os: 'linux', architecture: 'amd64' };
  const imageOf = async (Labels: Record<string, string>) => {
    const layers = await Promise.all(
      ['base', 'runtime', 'server'].map(async (kind) => ({
        ...(await layout.putBytes(kind, MEDIA_TYPE.layer)),
        annotations: { 'inlay.layer': kind },
      })),
    );
    const config = {
      ...platform,
      config: { Labels },
      rootfs: { type: 'layers', diff_ids: layers.map((l) => l.digest) },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: await layout.putJson(config, MEDIA_TYPE.config),
      layers,
    };
    const { digest } = await layout.putJson(manifest, MEDIA_TYPE.manifest);
    return { reference: 'r.example/server:1', digest };
  };
  const { 'inlay.server.can': __, ...older } = labels;
  expect((await sharedOf(layout, platform, await imageOf(labels), ['transform'])).layers.length).toBe(3);
  expect((await sharedOf(layout, platform, await imageOf(older), [])).layers.length).toBe(3);
  await expect(sharedOf(layout, platform, await imageOf(older), ['transform'])).rejects.toMatchObject({
    code: 'SERVER_IMAGE_INVALID',
  });
});
