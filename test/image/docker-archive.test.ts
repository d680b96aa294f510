import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { exportDockerArchive, type ImageConfig, MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { writeLayer } from '../../src/image/layer/layer.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-docker-archive-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const PLATFORM = { os: 'linux', architecture: 'amd64' };

/** An image with a layer of each compression, and the diffIDs that it promises. */
async function image(): Promise<{ layout: OciLayout; diffIds: string[] }> {
  const layout = await OciLayout.open(join(dir, 'oci'));
  const layers = [];
  for (const compression of ['zstd', 'gzip', 'none'] as const) {
    const content = new Uint8Array(100_000).fill(compression.length);
    const entry = { path: compression, type: 'file', mode: 0o644, content } as const;
    layers.push(await writeLayer(layout, [entry], { compression, mtimeS: 0 }));
  }
  const diffIds = layers.map(({ diffId }) => diffId);
  const config: ImageConfig = { ...PLATFORM, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await layout.putJson(config, MEDIA_TYPE.config),
    layers: layers.map(({ descriptor }) => descriptor),
  };
  await layout.tag('some:1', await layout.putJson(manifest, MEDIA_TYPE.manifest));
  return { layout, diffIds };
}

test('a docker-archive names config and layers, has no zstd, and leaves nothing else behind', async () => {
  const { layout, diffIds } = await image();
  const path = join(dir, 'some.tar');
  await exportDockerArchive(layout, 'some:1', PLATFORM, path);
  const files = new Map<string, Buffer>();
  const tar = extract();
  tar.end(readFileSync(path));
  for await (const entry of tar)
    files.set(entry.header.name, Buffer.concat((await Array.fromAsync(entry)) as Uint8Array[]));
  const [listed] = JSON.parse(String(files.get('manifest.json'))) as [
    { Config: string; RepoTags: string[]; Layers: string[] },
  ];
  expect(listed.RepoTags).toEqual(['some:1']);
  expect(JSON.parse(String(files.get(listed.Config)))).toMatchObject({ architecture: 'amd64' });
  const found = listed.Layers.map((name) => {
    const bytes = files.get(name) as Buffer;
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? Bun.gunzipSync(new Uint8Array(bytes)) : bytes;
    return `sha256:${createHash('sha256').update(plain).digest('hex')}`;
  });
  expect(found).toEqual(diffIds);
  expect(readdirSync(dir).sort()).toEqual(['oci', 'some.tar']);
  expect(readdirSync(join(dir, 'oci', 'blobs'))).toEqual(['sha256']);
});

test('an image with a hole, or for another platform, is not written', async () => {
  const { layout } = await image();
  const path = join(dir, 'hole.tar');
  const arm = exportDockerArchive(layout, 'none:1', { os: 'linux', architecture: 'arm64' }, path);
  expect(arm).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  const { manifest } = await layout.resolve('some:1', PLATFORM);
  rmSync(layout.blobPath(manifest.layers[1]?.digest as string));
  await expect(exportDockerArchive(layout, 'some:1', PLATFORM, path)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  expect(readdirSync(dir).includes('hole.tar')).toBe(false);
});

test('a pipe is written to, and not replaced', async () => {
  const { layout } = await image();
  const pipe = join(dir, 'pipe');
  expect(Bun.spawnSync(['mkfifo', pipe]).exitCode).toBe(0);
  const reader = Bun.spawn(['cat', pipe], { stdout: 'pipe' });
  await exportDockerArchive(layout, 'some:1', PLATFORM, pipe);
  const names: string[] = [];
  const tar = extract();
  tar.end(Buffer.from(await new Response(reader.stdout).arrayBuffer()));
  for await (const entry of tar) {
    names.push(entry.header.name);
    entry.resume();
  }
  expect(names).toContain('manifest.json');
  expect(statSync(pipe).isFIFO()).toBe(true);
});
