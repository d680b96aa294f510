// The local store: old images and what they alone have go, what is kept is whole, what was used a moment ago is left alone.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { attachInLayout, MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { type Policy, planStore, readStore, storeDocument, sweepStore, type Use } from '../../src/prune/index.ts';
import { bytesOf, World } from '../registry/world.ts';
import { BARE, tagsOf } from './pruning.ts';

const DAY = 86_400_000;
let world: World;
let layout: OciLayout;
beforeEach(async () => {
  world = new World();
  layout = await OciLayout.open(join(world.dir, 'oci'));
});
afterEach(() => world.remove());

async function age(days: number): Promise<void> {
  const then = new Date(Date.now() - days * DAY);
  for await (const file of new Bun.Glob('blobs/sha256/*').scan(layout.dir))
    await utimes(join(layout.dir, file), then, then);
}

async function plan(policy: Policy = BARE, uses: readonly Use[] = []) {
  const state = await readStore(layout.dir);
  return {
    state,
    plan: await planStore(state, { now: Date.now(), uses, policyOf: () => policy, graceMs: policy.graceMs }),
  };
}

const build = (tag: string, name = 'iris') => world.image(layout, `${name}:${tag}`, bytesOf(`${name} ${tag}`, 5000));
const has = (digest: string) => Bun.file(layout.blobPath(digest)).exists();
const names = async () => (await layout.references()).map(({ reference }) => reference).sort();

test('old versions go with the layers that they alone have, the last ones of each name stay whole', async () => {
  const [first, last, other] = [await build('1.0'), await build('1.1'), await build('1', 'churn')];
  await age(1);
  const { state, plan: planned } = await plan();
  const told = storeDocument(layout.dir, planned, []);
  expect(tagsOf(told.drop)).toEqual(['1.0']);
  expect(tagsOf(told.keep)).toEqual(['1', '1.1']);
  expect(await sweepStore(state, planned)).toBe(planned.freeBytes);
  expect(await names()).toEqual(['churn:1', 'iris:1.1']);
  expect([await has(first.digest), await has(first.modelDigest)]).toEqual([false, false]);
  for (const digest of [last.digest, last.manifest, ...last.layers, other.digest, ...other.layers])
    expect([digest, await has(digest)]).toEqual([digest, true]);
});

test('what is attached goes and stays with its image', async () => {
  const [first, last] = [await build('1.0'), await build('1.1')];
  const attach = (digest: string) =>
    attachInLayout(
      layout,
      { mediaType: MEDIA_TYPE.manifest, digest, size: 1 },
      { artifactType: 'application/x', layers: [{ mediaType: 'text/plain', bytes: new TextEncoder().encode(digest) }] },
    );
  const [gone, stays] = [await attach(first.manifest), await attach(last.manifest)];
  await age(1);
  const { state, plan: planned } = await plan();
  await sweepStore(state, planned);
  expect([await has(gone), await has(stays)]).toEqual([false, true]);
  expect((await layout.index()).manifests.map(({ digest }) => digest)).toEqual([last.digest, stays]);
});

test('the grace counts from when an image was built or used last', async () => {
  await build('1.0');
  await age(3);
  await build('1.1');
  expect(tagsOf(storeDocument('', (await plan({ ...BARE, graceMs: 7 * DAY })).plan, []).drop)).toEqual([]);
  expect(tagsOf(storeDocument('', (await plan({ ...BARE, graceMs: 2 * DAY })).plan, []).drop)).toEqual(['1.0']);
});

test('a blob that is used between plan and sweep stays, and so does an image that is named then', async () => {
  const [first] = [await build('1.0'), await build('1.1')];
  await age(1);
  const { state, plan: planned } = await plan();
  expect(await layout.holds({ digest: first.modelDigest, size: 5000 })).toBe(true);
  await layout.tag('again:1', { mediaType: MEDIA_TYPE.index, digest: first.digest, size: 1 });
  await sweepStore(state, planned);
  for (const digest of [first.digest, first.manifest, ...first.layers])
    expect([digest, await has(digest)]).toEqual([digest, true]);
});

test('layers that no image has go by their age; those of a base that is locked stay', async () => {
  const base = await build('12', 'debian');
  await layout.unlist((_, reference) => reference === 'debian:12');
  const loose = await layout.putBytes(bytesOf('loose', 9000), MEDIA_TYPE.layer);
  await build('1.0');
  await age(10);
  const young = await layout.putBytes(bytesOf('young', 9000), MEDIA_TYPE.layer);
  const { state, plan: planned } = await plan({ ...BARE, graceMs: DAY }, [
    { code: 'LOCKED', digest: base.digest, by: 'inlay.lock' },
  ]);
  expect(planned.freeBytes).toBe(9000);
  await sweepStore(state, planned);
  expect([await has(loose.digest), await has(young.digest), await has(base.modelDigest)]).toEqual([false, true, true]);
});

test('a name that is given anew between plan and sweep stays, with what is attached to its image', async () => {
  const [old, same] = [await build('1.0'), await build('1.1')];
  await build('1.2');
  await age(1);
  const { state, plan: planned } = await plan();
  expect(tagsOf(storeDocument('', planned, []).drop)).toEqual(['1.0', '1.1']);
  const rebuilt = await world.image(layout, 'iris:1.0', bytesOf('rebuilt', 5000));
  await build('1.1');
  await sweepStore(state, planned);
  expect(await names()).toEqual(['iris:1.0', 'iris:1.1', 'iris:1.2']);
  for (const digest of [rebuilt.digest, ...rebuilt.layers, same.digest, same.manifest, ...same.layers])
    expect([digest, await has(digest)]).toEqual([digest, true]);
  expect(await has(old.modelDigest)).toBe(false);
});

test('an image of which something was removed while it was made gets no name', async () => {
  const made = await build('1.0');
  const layers = made.layers.map((digest) => ({ mediaType: MEDIA_TYPE.layer, digest, size: 5000 })).slice(-1);
  const index = { mediaType: MEDIA_TYPE.index, digest: made.digest, size: 1 };
  await layout.tag('iris:2', index, layers);
  await rm(layout.blobPath(made.modelDigest));
  await expect(layout.tag('iris:3', index, layers)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  await rm(layout.blobPath(made.manifest));
  await expect(layout.tag('iris:3', index)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  expect(await names()).toEqual(['iris:1.0', 'iris:2']);
});

test('what a killed build or pull left goes after a day', async () => {
  await build('1.0');
  const partial = `.partial-sha256-${'a'.repeat(64)}-1-abcdefgh`;
  for (const name of ['.tmp-old', '.tmp-new', partial]) await Bun.write(join(layout.dir, 'blobs', name), 'x');
  const then = new Date(Date.now() - 2 * DAY);
  for (const name of ['.tmp-old', partial]) await utimes(join(layout.dir, 'blobs', name), then, then);
  const { state, plan: planned } = await plan();
  await sweepStore(state, planned);
  expect((await readdir(join(layout.dir, 'blobs'))).sort()).toEqual(['.tmp-new', 'sha256']);
});

test('nothing is written where nothing goes: a full disk can be pruned', async () => {
  await build('1.0');
  const list = join(layout.dir, 'index.json');
  const before = await stat(list);
  const { state, plan: planned } = await plan();
  await sweepStore(state, planned);
  expect((await stat(list)).ino).toBe(before.ino);
});
