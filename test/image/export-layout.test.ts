import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportLayout, MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-export-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function image(store: OciLayout) {
  const layer = await store.putBytes('a layer', MEDIA_TYPE.layer);
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  const config = await store.putJson({ architecture: 'amd64', os: 'linux', config: {}, rootfs }, MEDIA_TYPE.config);
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer] };
  await store.tag('some:1', await store.putJson(manifest, MEDIA_TYPE.manifest));
  return layer;
}

test('a layout is exported whole, under its tag', async () => {
  const store = await OciLayout.open(join(dir, 'store'));
  const layer = await image(store);
  await exportLayout(store, 'some:1', join(dir, 'out'));
  const out = await OciLayout.open(join(dir, 'out'));
  expect((await out.references()).map(({ reference }) => reference)).toEqual(['1']);
  expect(new TextDecoder().decode(await out.readBytes(layer.digest))).toBe('a layer');
});

test.each([
  ['is missing', undefined, 'IMAGE_INVALID'],
  ['has other bytes', 'a LAYER', 'INTEGRITY_MISMATCH'],
])('an image whose layer %s is told, and gets no name', async (what, bytes, code) => {
  const store = await OciLayout.open(join(dir, `store ${what}`));
  const layer = await image(store);
  rmSync(store.blobPath(layer.digest));
  if (bytes !== undefined) writeFileSync(store.blobPath(layer.digest), bytes);
  const to = join(dir, `out ${what}`);
  await expect(exportLayout(store, 'some:1', to)).rejects.toMatchObject({ code });
  expect(await (await OciLayout.open(to)).references()).toEqual([]);
});
