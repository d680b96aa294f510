import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { isInlayError } from '../../src/error/index.ts';
import { readTarFile } from '../../src/image/layer/read-tar.ts';
import { type TarEntry, tarStream } from '../../src/image/layer/tar.ts';

const file = (path: string, content = '', mode = 0o644): TarEntry => ({
  path,
  type: 'file',
  mode,
  content: new TextEncoder().encode(content),
});

async function tarOf(entries: readonly TarEntry[], mtimeS = 0): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(tarStream(entries, { mtimeS })));
}

async function list(bytes: Uint8Array): Promise<string[]> {
  const tar = extract();
  tar.end(Buffer.from(bytes));
  const rows: string[] = [];
  for await (const entry of tar) {
    const { name, type, mode = 0, uid, gid, mtime, linkname } = entry.header;
    const content = Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Uint8Array>)).toString();
    rows.push([name, type, mode.toString(8), `${uid}:${gid}`, mtime?.getTime(), linkname ?? content].join(' '));
  }
  return rows;
}

async function code(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error) => (isInlayError(error) ? error.code : String(error)),
  );
}

test('sorted, with the folders that nobody named, one time, and owners as given', async () => {
  const entries: TarEntry[] = [
    file('usr/bin/b', 'two', 0o755),
    { path: 'lib', type: 'symlink', mode: 0o777, linkname: 'usr/lib' },
    { path: 'home/nonroot', type: 'directory', mode: 0o700, uid: 65532, gid: 65532 },
    file('usr/a', 'one'),
  ];
  expect(await list(await tarOf(entries, 1_700_000_000))).toEqual([
    'home/ directory 755 0:0 1700000000000 ',
    'home/nonroot/ directory 700 65532:65532 1700000000000 ',
    'lib symlink 777 0:0 1700000000000 usr/lib',
    'usr/ directory 755 0:0 1700000000000 ',
    'usr/a file 644 0:0 1700000000000 one',
    'usr/bin/ directory 755 0:0 1700000000000 ',
    'usr/bin/b file 755 0:0 1700000000000 two',
  ]);
});

test('the order of the entries does not matter', async () => {
  const entries = ['b', 'a/c', 'ä', 'a-b', 'a'.repeat(150)].map((path) => file(path, path));
  const digest = async (list: TarEntry[]) =>
    createHash('sha256')
      .update(await tarOf(list))
      .digest('hex');
  expect(await digest(entries)).toBe(await digest(entries.toReversed()));
});

test('files from disk are the same as from memory', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'inlay-tar-'));
  try {
    const content = 'x'.repeat(3_000_001);
    writeFileSync(join(dir, 'f'), content);
    const onDisk: TarEntry = {
      path: 'f',
      type: 'file',
      mode: 0o644,
      content: { path: join(dir, 'f'), size: content.length },
    };
    expect(Buffer.compare(await tarOf([onDisk]), await tarOf([file('f', content)]))).toBe(0);
    for (const size of [content.length - 1, content.length + 1]) {
      expect(await code(tarOf([{ ...onDisk, content: { path: join(dir, 'f'), size } }]))).toBe('IMAGE_INVALID');
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.each(['', '/a', 'a//b', './a', '../a', 'a/..', 'a/'])('the path %p is refused', async (path) => {
  expect(await code(tarOf([file(path)]))).toBe('IMAGE_INVALID');
});

test('a path that stands twice is refused', async () => {
  expect(await code(tarOf([file('a'), file('a')]))).toBe('IMAGE_INVALID');
});

test('what comes first stands before all else but its folders, and is read without the rest', async () => {
  const entries: TarEntry[] = [file('m/a', 'x'.repeat(5000)), { ...file('m/c', 'first'), first: true }, file('b', 'y')];
  const bytes = await tarOf(entries);
  expect((await list(bytes)).map((row) => row.split(' ')[0])).toEqual(['m/', 'm/c', 'b', 'm/a']);
  let taken = 0;
  const source = async function* () {
    for (let at = 0; at < bytes.length; at += 512) {
      taken += 512;
      yield bytes.subarray(at, at + 512);
    }
  };
  expect(new TextDecoder().decode(await readTarFile(source(), 'm/c', 100))).toBe('first');
  expect(taken).toBeLessThan(bytes.length / 2);
  expect(await readTarFile(source(), 'm/d', 100)).toBeUndefined();
  expect(await code(readTarFile(source(), 'm/a', 100))).toBe('IMAGE_INVALID');
  const broken = async function* () {
    yield bytes.subarray(0, 700);
    throw new Error('the line broke');
  };
  expect(await code(readTarFile(broken(), 'm/d', 100))).toBe('Error: the line broke');
});
