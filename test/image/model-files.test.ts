import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { readProject } from '../../src/contract/index.ts';
import { ModelDigests, OciLayout } from '../../src/image/index.ts';
import { writeLayer } from '../../src/image/layer/layer.ts';
import { modelFileLayer } from '../../src/image/model-files.ts';
import { bigModelFiles, modelEntries } from '../../src/image/model-layer.ts';
import { writeWeights, writeWeightsProject, writeYaml } from '../weights-project.ts';

const MIB = 2 ** 20;
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-model-files-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const sha256 = (path: string) => `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`;

/** A project with two files of 16 MiB, and a store. */
async function world(name: string) {
  const project = join(dir, name);
  const options = { name, files: 2, fileBytes: 16 * MIB };
  await writeWeightsProject(project, options);

  const layout = await OciLayout.open(join(dir, `${name}-oci`));
  const cacheDir = join(dir, `${name}-cache`);
  return { project, options, layout, cacheDir, digests: () => new ModelDigests(layout, cacheDir, 0) };
}

async function tarNames(path: string): Promise<string[]> {
  const tar = extract();
  tar.end(readFileSync(path));
  const names: string[] = [];
  for await (const entry of tar) {
    names.push(entry.header.name);
    entry.resume();
  }
  return names;
}

test('reading a project writes its big files as layers, and hashes them right', async () => {
  const { project, layout, cacheDir, digests } = await world('reading');
  const first = digests();
  const read = await readProject(project, first.digest);
  expect(read.contract).toEqual((await readProject(project)).contract);
  expect(first.written.size).toBe(2);
  const [big] = bigModelFiles(read);
  expect(bigModelFiles(read).map(({ file }) => file.file)).toEqual(['w0.bin', 'w1.bin']);
  const layer = await modelFileLayer(layout, cacheDir, big?.path as string, big?.file as never, 0);
  expect(layer.reused).toBe(true);
  expect(first.written).toContain(layer.descriptor.digest);
  expect(layer.diffId).toBe(layer.descriptor.digest);
  const blob = layout.blobPath(layer.descriptor.digest);
  expect(sha256(blob)).toBe(layer.descriptor.digest);
  expect(await tarNames(blob)).toEqual(['model/', 'model/w0.bin']);
  expect((await modelEntries(read)).map(({ path }) => path)).toEqual(['model/model.onnx', 'model/contract.json']);
});

test('a new version of the contract, and other weights in one file, leave the other layers as they are', async () => {
  const { project, options, digests, layout, cacheDir } = await world('retrained');
  const layers = async () => {
    const read = await readProject(project, digests().digest);
    const made = bigModelFiles(read).map(({ path, file }) => modelFileLayer(layout, cacheDir, path, file, 0));
    return (await Promise.all(made)).map(({ descriptor }) => descriptor.digest);
  };
  const before = await layers();
  writeYaml(project, { ...options, version: '2' });
  expect(await layers()).toEqual(before);
  await writeWeights(join(project, 'w1.bin'), 16 * MIB, 7);
  const after = await layers();
  expect([after[0], after[1] === before[1]]).toEqual([before[0] as string, false]);
});

test('a layer that has left the store is written again, from the very bytes of the contract', async () => {
  const { project, layout, cacheDir, digests } = await world('again');
  const read = await readProject(project, digests().digest);
  const [big] = bigModelFiles(read);
  const make = () => modelFileLayer(layout, cacheDir, big?.path as string, big?.file as never, 0);
  const { descriptor } = await make();
  rmSync(layout.blobPath(descriptor.digest));
  const again = await make();
  expect([again.reused, again.descriptor]).toEqual([false, descriptor]);
  rmSync(layout.blobPath(descriptor.digest));
  await writeWeights(join(project, 'w0.bin'), 16 * MIB, 3);
  expect(make()).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
});

test('a small file that is no longer what the contract says is not packed', async () => {
  const { project, layout, digests } = await world('changed');
  const read = await readProject(project, digests().digest);
  const model = join(project, 'model.onnx');
  const bytes = readFileSync(model);
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  writeFileSync(model, bytes);
  const packed = writeLayer(layout, await modelEntries(read), { compression: 'none', mtimeS: 0 });
  expect(packed).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
});

test('a file with a known stamp is not read; one byte, or the time alone, makes it unknown', async () => {
  const { StampedDigests, stampOf } = await import('../../src/image/file-stamp.ts');
  const path = join(dir, 'stamped');
  writeFileSync(path, 'weights');
  const known = new StampedDigests(join(dir, 'stamps'));
  const stamp = await stampOf(path);
  const found = { digest: sha256(path), sizeBytes: 7 };
  // Younger than a file system's tick: not kept.
  await known.put(path, stamp, found);
  expect(await known.get(stamp)).toBeUndefined();
  const now = Date.now;
  Date.now = () => now() + 60_000;
  try {
    await known.put(path, stamp, found);
  } finally {
    Date.now = now;
  }
  expect(await known.get(await stampOf(path))).toEqual(found);
  writeFileSync(path, 'weightz');
  const { mtimeMs } = statSync(path);
  expect(await known.get(await stampOf(path))).toBeUndefined();
  // Put back with its old time: ctime tells.
  writeFileSync(path, 'weights');
  utimesSync(path, new Date(mtimeMs), new Date(mtimeMs));
  expect(await known.get(await stampOf(path))).toBeUndefined();
  for (const note of readdirSync(join(dir, 'stamps'))) truncateSync(join(dir, 'stamps', note), 3);
  expect(await known.get(stamp)).toBeUndefined();
});
