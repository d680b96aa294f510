// diff and run on images, as a person meets them: in the store and in a registry.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProject } from '../../src/contract/index.ts';
import { imageLabels } from '../../src/image/facts.ts';
import { BASE_NAME, MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { writeLayer } from '../../src/image/layer/layer.ts';
import { modelEntries } from '../../src/image/model-layer.ts';
import { pushImage } from '../../src/registry/index.ts';
import { endOf } from '../end-of.ts';
import { FakeRegistry } from './fake-registry.ts';
import { bytesOf, ref, World } from './world.ts';

const MAIN = join(import.meta.dir, '..', '..', 'src', 'cli', 'main.ts');
const PLATFORM = { os: 'linux', architecture: 'amd64' };

let world: World;
let fake: FakeRegistry;
let layout: OciLayout;
beforeEach(async () => {
  world = new World();
  fake = await FakeRegistry.start();
  layout = await OciLayout.open(join(world.dir, 'home', 'oci'));
});
afterEach(async () => {
  await fake.stop();
  await world.remove();
});

async function inlay(...args: string[]) {
  const child = Bun.spawn([process.execPath, '--no-env-file', MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: world.dir, INLAY_HOME: join(world.dir, 'home') },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return endOf(child);
}

/** examples/iris as a project of its own, changed by `edit`. */
function project(name: string, edit: (dir: string) => void = () => {}): string {
  const dir = join(world.dir, name);
  cpSync(join(import.meta.dir, '../../examples/iris'), dir, { recursive: true });
  edit(dir);
  return dir;
}
const otherModel = (dir: string) =>
  cpSync(join(import.meta.dir, '../data/reference/iris_svc.onnx'), join(dir, 'models/iris_svc.onnx'));

/** The image of a project without a server, in the store. */
async function image(dir: string, name: string, libraries: Record<string, string>, annotations = {}): Promise<string> {
  const read = await readProject(dir);
  const labels = imageLabels(read, { os: 'debian 12', libraries }, '0.1.0');
  const entries = [{ path: 'base', type: 'file', mode: 0o644, content: bytesOf('base', 300_000) }] as const;
  const { descriptor: below } = await writeLayer(layout, entries, { compression: 'none', mtimeS: 0 });
  const model = await writeLayer(layout, await modelEntries(read), { compression: 'none', mtimeS: 0 });
  const layers = [
    { ...below, annotations: { 'inlay.layer': 'base' } },
    { ...model.descriptor, annotations: { 'inlay.layer': 'model' } },
  ];
  const document = {
    ...PLATFORM,
    config: { Labels: labels },
    rootfs: { type: 'layers', diff_ids: [below.digest, model.diffId] },
  };
  const config = await layout.putJson(document, MEDIA_TYPE.config);
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers, annotations };
  await layout.tag(name, await layout.putJson(manifest, MEDIA_TYPE.manifest));
  return below.digest;
}
const push = (name: string) => pushImage({ registry: world.registry(), layout, source: name, to: ref(name) });
const diff = (...args: string[]) => inlay('diff', ...args, '--platform', 'linux/amd64', '--json');

test('two images of the store: contract, libraries, layers, and the answers of both models', async () => {
  await image(project('a'), 'iris:1', { libc6: '2.36', tzdata: '1' });
  await image(project('b', otherModel), 'iris:2', { libc6: '2.37', zlib: '1' });
  const { code, stdout } = await diff('iris:1', 'iris:2');
  expect(code).toBe(0);
  const told = JSON.parse(stdout);
  expect(told.verdict).toBe('compatible');
  expect(told.changes.map(({ what }: { what: string }) => what)).toEqual(
    expect.arrayContaining(['model', 'library libc6', 'library tzdata', 'library zlib']),
  );
  expect(told.layers.shared.map(({ kind }: { kind: string }) => kind)).toEqual(['base']);
  expect(told.layers.to.map(({ kind }: { kind: string }) => kind)).toEqual(['model']);
  expect(told.answers).toMatchObject({ rows: 90 });
  expect(told.answers.largestShift).toBeGreaterThan(0);
});

test('images of a registry and projects: the contract is whole; answers only where the model is here', async () => {
  const name = `${fake.host}/ml/iris:1`;
  const dir = project('a');
  await image(dir, name, { libc6: '2.36' });
  await push(name);
  const labels = project('b', (to) =>
    writeFileSync(join(to, 'models/label.json'), '["versicolor", "setosa", "virginica"]'),
  );
  rmSync(join(world.dir, 'home'), { recursive: true });
  const breaking = await diff(name, labels);
  expect(breaking.code).toBe(1);
  expect(JSON.parse(breaking.stdout)).toMatchObject({
    verdict: 'breaking',
    changes: [{ what: 'labels', verdict: 'breaking' }],
  });
  const same = JSON.parse((await diff(name, dir)).stdout);
  expect(same).toEqual({ verdict: 'same', changes: [] });

  // Pulled, both answer.
  await inlay('pull', name);
  expect(JSON.parse((await diff(name, dir)).stdout).answers).toMatchObject({ rows: 90, largestShift: 0 });
});

test('what is no image of inlay, and what is nowhere, is said', async () => {
  await world.image(layout, 'other:1', bytesOf('m', 100));
  await image(project('a'), 'iris:1', {});
  expect(JSON.parse((await diff('iris:1', 'other:1')).stderr).error.code).toBe('CONTRACT_INVALID');
  expect(JSON.parse((await diff('iris:1', 'iris:9')).stderr).error.code).toBe('IMAGE_NOT_FOUND');
});

test('run pulls an image that is not here, and fetches layers of a base that lie elsewhere still', async () => {
  const name = `${fake.host}/ml/iris:1`;
  await image(project('a'), name, {});
  await push(name);
  rmSync(join(world.dir, 'home'), { recursive: true });
  // The image has no program: it is pulled, and then that is what is wrong.
  const ran = await inlay('run', name, '--engine', 'process', '--port', '0');
  expect(ran.stderr).toContain('pulled    sha256:');
  expect(ran.stderr).toContain('neither Entrypoint nor Cmd');
  // An image that was built on one in a registry, of which only the manifest is here.
  const below = await image(project('b'), 'iris:2', {}, { [BASE_NAME]: name });
  rmSync(layout.blobPath(below));
  const second = await inlay('run', 'iris:2', '--engine', 'process', '--port', '0');
  expect(second.stderr).toContain(`pulled    ${below.slice(0, 19)}`);
  expect(second.stderr).toContain('neither Entrypoint nor Cmd');
  expect((await inlay('run', 'iris:9', '--engine', 'process')).stderr).toContain('IMAGE_NOT_FOUND');
  if (process.getuid?.() === 0 && Bun.which('runc')) {
    expect((await inlay('run', 'iris:2', '--engine', 'runc', '--port', '0')).stderr).toContain(
      'neither Entrypoint nor Cmd',
    );
    expect(existsSync(join(world.dir, 'home', 'run', 'runc'))).toBe(false);
  }
});
