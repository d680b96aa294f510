import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { unpackRootFs } from '../../src/container/index.ts';
import { isInlayError } from '../../src/error/index.ts';
import { MEDIA_TYPE, OciLayout, type ResolvedImage } from '../../src/image/index.ts';

type Entry = Partial<Header> & { name: string; content?: string };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-rootfs-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const stream = pack();
  for (const { content = '', ...header } of entries) stream.entry(header, content);
  stream.finalize();
  return Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Uint8Array>));
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function image(
  layout: OciLayout,
  layers: readonly { tar: Buffer; mediaType?: string; blob?: Uint8Array; diffId?: string }[],
): Promise<ResolvedImage> {
  const descriptors = await Promise.all(
    layers.map((layer) => layout.putBytes(layer.blob ?? layer.tar, layer.mediaType ?? MEDIA_TYPE.layer)),
  );
  return {
    reference: 'x:1',
    digest: `sha256:${'0'.repeat(64)}`,
    manifestDigest: `sha256:${'1'.repeat(64)}`,
    manifest: { schemaVersion: 2, config: descriptors[0] as never, layers: descriptors },
    config: {
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId ?? sha256(layer.tar)) },
    },
  };
}

async function unpack(...layers: (readonly Entry[])[]): Promise<string> {
  const layout = await OciLayout.open(join(dir, 'oci'));
  const tars = await Promise.all(layers.map(tar));
  return unpackRootFs(
    layout,
    await image(
      layout,
      tars.map((bytes) => ({ tar: bytes })),
    ),
    join(dir, 'state'),
    false,
  );
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => (isInlayError(error) ? error.code : String(error)),
  );

test('layers are applied in order, with links and modes', async () => {
  const root = await unpack(
    [
      { name: 'bin/', type: 'directory' },
      { name: 'bin/a', content: 'old', mode: 0o755 },
      { name: 'b', type: 'symlink', linkname: 'bin/a' },
    ],
    [
      { name: 'bin/a', content: 'new', mode: 0o755 },
      { name: 'c', type: 'link', linkname: 'bin/a' },
    ],
  );
  expect(readFileSync(join(root, 'b'), 'utf8')).toBe('new');
  expect(readFileSync(join(root, 'c'), 'utf8')).toBe('new');
  expect(statSync(join(root, 'bin/a')).mode & 0o777).toBe(0o755);
});

test('whiteouts and opaque folders', async () => {
  const root = await unpack(
    [{ name: 'a/x' }, { name: 'a/y' }, { name: 'b/x' }, { name: 'c' }],
    [{ name: 'a/.wh.x' }, { name: 'b/.wh..wh..opq' }, { name: 'b/new' }, { name: '.wh.c' }],
  );
  expect(readdirSync(root).sort()).toEqual(['a', 'b']);
  expect(readdirSync(join(root, 'a'))).toEqual(['y']);
  expect(readdirSync(join(root, 'b'))).toEqual(['new']);
});

test('gzip, and zstd in several frames', async () => {
  const layout = await OciLayout.open(join(dir, 'oci'));
  const [one, two] = await Promise.all([
    tar([{ name: 'one', content: 'x'.repeat(100_000) }]),
    tar([{ name: 'two', content: 'y'.repeat(100_000) }]),
  ]);
  const frames = Buffer.concat([zstdCompressSync(two.subarray(0, 60_000)), zstdCompressSync(two.subarray(60_000))]);
  const made = await image(layout, [
    { tar: one, blob: gzipSync(one), mediaType: MEDIA_TYPE.layerGzip },
    { tar: two, blob: frames, mediaType: MEDIA_TYPE.layerZstd },
  ]);
  const root = await unpackRootFs(layout, made, join(dir, 'state'), false);
  expect(readFileSync(join(root, 'one'), 'utf8')).toHaveLength(100_000);
  expect(readFileSync(join(root, 'two'), 'utf8')).toHaveLength(100_000);
});

test('a layer that is not what the config says is refused, and nothing is left', async () => {
  const layout = await OciLayout.open(join(dir, 'oci'));
  const made = await image(layout, [{ tar: await tar([{ name: 'a' }]), diffId: `sha256:${'2'.repeat(64)}` }]);
  expect(await codeOf(unpackRootFs(layout, made, join(dir, 'state'), false))).toBe('IMAGE_INVALID');
  expect(readdirSync(join(dir, 'state', 'rootfs'))).toEqual([]);
});

test('a damaged layer is refused', async () => {
  const layout = await OciLayout.open(join(dir, 'oci'));
  const bytes = await tar([{ name: 'a', content: 'x'.repeat(5000) }]);
  for (const blob of [bytes.subarray(0, 2000), Buffer.from('not gzip')]) {
    const made = await image(layout, [{ tar: bytes, blob, mediaType: MEDIA_TYPE.layerGzip }]);
    expect(await codeOf(unpackRootFs(layout, made, join(dir, 'state'), false))).toBe('IMAGE_INVALID');
  }
});

test.each<[string, Entry[]]>([
  ['a path upwards', [{ name: '../escaped' }]],
  ['a path upwards in the middle', [{ name: 'a/../../escaped' }]],
  ['a hard link upwards', [{ name: 'x', type: 'link', linkname: '../victim' }]],
  ['a hard link to an absolute path', [{ name: 'x', type: 'link', linkname: '/etc/passwd' }]],
  ['a device', [{ name: 'x', type: 'character-device', devmajor: 1, devminor: 3 }]],
  ['a whiteout upwards', [{ name: '.wh...' }]],
  ['a file where a folder should be', [{ name: 'a' }, { name: 'a/b' }]],
])('%s is refused', async (_, entries) => {
  writeFileSync(join(dir, 'victim'), 'safe');
  expect(await codeOf(unpack(entries))).toMatch(/^IMAGE_INVALID$/);
  expect(existsSync(join(dir, 'escaped'))).toBe(false);
  expect(existsSync(join(dir, 'state', 'escaped'))).toBe(false);
});

test('a planted link leads inside the root, as a container would see it', async () => {
  const outside = join(dir, 'outside');
  const root = await unpack([
    { name: 'up', type: 'symlink', linkname: '../../../../../../../..' },
    { name: 'abs', type: 'symlink', linkname: outside },
    { name: 'up/one', content: '1' },
    { name: 'abs/two', content: '2' },
  ]);
  expect(readFileSync(join(root, 'one'), 'utf8')).toBe('1');
  expect(readFileSync(join(root, outside, 'two'), 'utf8')).toBe('2');
  expect(existsSync(outside)).toBe(false);
  expect(readlinkSync(join(root, 'abs'))).toBe(outside);
});

test('random layers never write outside', async () => {
  let seed = 7;
  const pick = <T>(from: readonly T[]): T => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return from[seed % from.length] as T;
  };
  const names = [
    'a',
    'b',
    'a/b',
    '../x',
    'a/../../x',
    '/x',
    'a/.wh.b',
    '.wh..',
    '.wh..wh..opq',
    'b/c/d',
    './a',
    'l/x',
    'l/l/x',
  ];
  for (let round = 0; round < 300; round++) {
    const entries = Array.from({ length: 6 }, (): Entry => {
      const type = pick(['file', 'directory', 'symlink', 'link'] as const);
      const name = pick([...names, 'l', 'l']);
      return {
        name,
        type,
        ...(type.endsWith('link') ? { linkname: pick(['..', '../..', '/', 'a', '../../victim', '/../..']) } : {}),
      };
    });
    writeFileSync(join(dir, 'victim'), 'safe');
    const told = await codeOf(unpack(entries));
    expect(['done', 'IMAGE_INVALID']).toContain(told);
    expect(readdirSync(dir).sort()).toEqual(['oci', 'state', 'victim']);
    expect(readFileSync(join(dir, 'victim'), 'utf8')).toBe('safe');
    rmSync(join(dir, 'state'), { recursive: true, force: true });
  }
}, 60_000);
