import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { OciLayout } from '../../src/image/index.ts';
import { compressed } from '../../src/image/layer/compression.ts';
import { writeLayer } from '../../src/image/layer/layer.ts';
import { cachedLayer } from '../../src/image/layer/layer-cache.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-layer-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

test.each([
  ['none', (bytes: Uint8Array) => bytes],
  ['gzip', gunzipSync],
  ['zstd', zstdDecompressSync],
] as const)('a layer with %s has the digest of its bytes and the diffID of its tar', async (compression, plain) => {
  const layout = await OciLayout.open(join(dir, compression));
  const entries = [{ path: 'a', type: 'file', mode: 0o644, content: new Uint8Array(1000) }] as const;
  const layer = await writeLayer(layout, entries, { compression, mtimeS: 0 });
  const bytes = readFileSync(layout.blobPath(layer.descriptor.digest));
  expect(sha256(bytes)).toBe(layer.descriptor.digest);
  expect(sha256(plain(bytes))).toBe(layer.diffId);
  expect(bytes.length).toBe(layer.descriptor.size);
});

test('a long stream is cut into frames that decompress to the same bytes, however it came in chunks', async () => {
  const whole = new Uint8Array(70 * 1024 * 1024).map((_, i) => (i >> 12) & 255);
  const chunks = async function* (size: number) {
    for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
  };
  const one = Buffer.concat(await Array.fromAsync(compressed(chunks(1 << 20), 'gzip')));
  const other = Buffer.concat(await Array.fromAsync(compressed(chunks(777_777), 'gzip')));
  expect(Buffer.compare(one, other)).toBe(0);
  expect(sha256(gunzipSync(one))).toBe(sha256(whole));
}, 60_000);

test('a cached layer is made once, and again when its blob or its note is damaged', async () => {
  const layout = await OciLayout.open(join(dir, 'cached'));
  const notes = join(dir, 'notes');
  let made = 0;
  const get = async (key: string) => {
    const layer = await cachedLayer(layout, notes, key, () => {
      made++;
      return writeLayer(layout, [{ path: key, type: 'file', mode: 0o644 }], { compression: 'none', mtimeS: 0 });
    });
    return [layer.reused, made];
  };
  expect(await get('a')).toEqual([false, 1]);
  expect(await get('a')).toEqual([true, 1]);
  expect(await get('b')).toEqual([false, 2]);
  for (const note of readdirSync(notes)) writeFileSync(join(notes, note), '{');
  expect(await get('a')).toEqual([false, 3]);
  for (const blob of readdirSync(join(layout.dir, 'blobs', 'sha256')))
    truncateSync(join(layout.dir, 'blobs', 'sha256', blob), 3);
  expect(await get('a')).toEqual([false, 4]);
  expect(await get('a')).toEqual([true, 4]);
});

test('a stream that breaks leaves nothing behind', async () => {
  const layout = await OciLayout.open(join(dir, 'broken'));
  const broken = async function* () {
    yield new Uint8Array(10);
    throw new Error('cut');
  };
  expect(layout.putStream(broken(), 'x')).rejects.toThrow('cut');
  await Bun.sleep(10);
  expect(readdirSync(join(layout.dir, 'blobs'))).toEqual(['sha256']);
  expect(readdirSync(join(layout.dir, 'blobs', 'sha256'))).toEqual([]);
});
