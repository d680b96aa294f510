// Doing what a plan says: what is looked at again, what registries allow, and how a sweep that was stopped goes on.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { holdSweep } from '../../src/prune/sweep/lock.ts';
import { Pace } from '../../src/prune/sweep/pace.ts';
import { deployment } from '../inventory/fake-cluster.ts';
import type { RegistryTraits } from '../registry/fake-registry.ts';
import { BARE, Pruning } from './pruning.ts';

let at: Pruning;
beforeEach(async () => {
  at = await Pruning.start();
});
afterEach(() => at.stop());

async function restart(traits: RegistryTraits): Promise<void> {
  await at.stop();
  at = await Pruning.start(traits);
}

const journals = async () => {
  const folder = join(at.dir, 'sweeps');
  const names = (await readdir(folder).catch(() => [])).sort();
  return Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => Bun.file(join(folder, name)).json()));
};

test('what the plan says goes, with what is attached; what stays still pulls', async () => {
  const [, , now] = [await at.push('1'), await at.push('2', 'ml/iris', ['amd64', 'arm64']), await at.push('3')];
  await at.attach(now.manifest, 'sbom of 3');
  await at.attach((await at.push('1')).manifest, 'sbom of 1');
  const before = at.registry.repo('ml/iris').manifests.size;
  const { plan, swept } = await at.prune();
  expect(at.tags()).toEqual(['3']);
  expect(at.pulls(now.digest)).toBe(true);
  expect(swept).toMatchObject({ absent: 0, untagged: 0, spared: [], failures: [], freeBytes: plan.document.freeBytes });
  expect(at.registry.repo('ml/iris').manifests.size).toBe(before - swept.deleted);
  const [journal] = await journals();
  expect(journal.endedAt).toBeString();
  expect(journal.done).toHaveLength(swept.deleted);
  expect((await at.plan()).document.drop).toEqual([]);
});

test('a version that is deployed between plan and sweep stays', async () => {
  const [deployed, now] = [await at.push('1'), await at.push('3')];
  await at.push('2');
  const { swept } = await at.prune(async () => at.cluster.put('deployments', deployment('iris', `${at.name()}:1`)));
  expect(at.tags()).toEqual(['1', '3']);
  expect(swept.spared.map(({ reference, why }) => [reference, why])).toEqual([
    [`${at.name()}:1`, 'prod: ml/Deployment/iris'],
  ]);
  expect([at.pulls(deployed.digest), at.pulls(now.digest)]).toEqual([true, true]);
});

test('an image that gets a new tag, or a moved one, between plan and sweep stays', async () => {
  const [retagged, moved] = [await at.push('1'), await at.push('2')];
  await at.push('3');
  await at.push('4');
  await at.prune(async () => {
    at.registry.repo('ml/iris').tags.set('prod', retagged.digest);
    // A tag of an image that goes, moved to another that goes.
    at.registry.repo('ml/iris').tags.set('3', moved.digest);
  });
  expect(at.pulls(retagged.digest)).toBe(true);
});

test('a manifest that a new index names stays, though its own image goes', async () => {
  const old = await at.push('1');
  await at.push('2');
  const { manifests, tags } = at.registry.repo('ml/iris');
  await at.prune(async () => {
    const bytes = Buffer.from(
      (manifests.get(old.digest)?.bytes.toString() ?? '').replace('{', '{"annotations":{"new":"one"},'),
    );
    const digest = `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`;
    manifests.set(digest, { bytes, mediaType: 'application/vnd.oci.image.index.v1+json' });
    tags.set('new', digest);
  });
  expect(at.pulls(tags.get('new') as string)).toBe(true);
});

test('a plan with a gap is refused before anything is deleted', async () => {
  await at.push('1');
  await at.push('2');
  at.declared = ['uid-1', 'uid-2'];
  expect(at.prune()).rejects.toMatchObject({ code: 'PRUNE_REFUSED' });
  expect(await journals()).toEqual([]);
  expect(at.tags()).toEqual(['1', '2']);
});

test('a cluster that is lost on the way stops the sweep', async () => {
  for (const tag of ['1', '2', '3']) await at.push(tag);
  const pruned = at.prune(async () => {
    at.cluster.forbidden.add('pods');
  });
  expect(await pruned.catch((error) => error.code)).toBe('PRUNE_REFUSED');
  expect(at.tags()).toEqual(['1', '2', '3']);
});

test('a sweep that was stopped goes on where it was, with what only its journal knows', async () => {
  for (const tag of ['1', '2', '3', '4']) await at.push(tag, 'ml/iris', ['amd64', 'arm64']);
  const abort = new AbortController();
  let done = 0;
  const stopped = at.prune(undefined, { signal: abort.signal, onDone: () => ++done === 4 && abort.abort() });
  expect(await stopped.catch((error) => error.code)).toBe('INTERRUPTED');
  // What was noted of the repository is lost too: the journal alone knows the manifests whose index is gone.
  await Bun.$`rm -r ${join(at.dir, 'repositories')}`.quiet();
  const left = at.registry.repo('ml/iris').manifests.size;
  const { swept } = await at.prune();
  expect(at.tags()).toEqual(['4']);
  expect(swept.deleted).toBe(left - 3);
  expect(at.registry.repo('ml/iris').manifests.size).toBe(3);
  expect((await journals()).map(({ endedAt }) => typeof endedAt)).toEqual(['string', 'string']);
});

test('one sweep at a time', async () => {
  await at.push('1');
  await at.push('2');
  using _ = await holdSweep(at.dir);
  expect(await at.prune().catch((error) => error.code)).toBe('PRUNE_BUSY');
  expect(at.tags()).toEqual(['1', '2']);
});

test('a lock that cannot be had is not taken for another sweep, and nothing is deleted', async () => {
  await at.push('1');
  await at.push('2');
  await mkdir(join(at.dir, 'sweep.lock'), { recursive: true });
  expect(await at.prune().catch((error) => error.code)).toBe('FILE_REFUSED');
  expect(at.tags()).toEqual(['1', '2']);
});

describe('registries differ', () => {
  const three = async () => {
    for (const tag of ['1', '2', '3']) await at.push(tag);
  };

  test('deletes are off: told, and nothing is half done', async () => {
    await restart({ deletes: false });
    await three();
    const { swept } = await at.prune();
    expect(swept.failures.map(({ code }) => code)).toEqual(['REGISTRY_UNSUPPORTED']);
    expect(swept).toMatchObject({ deleted: 0, freeBytes: 0 });
    expect(at.tags()).toEqual(['1', '2', '3']);
  });

  test('tags alone can be deleted: they go, manifests wait for the registry’s own collection', async () => {
    await restart({ deletes: 'tags', referrersApi: false });
    await three();
    const { swept } = await at.prune();
    expect(at.tags()).toEqual(['3']);
    // Both indexes and their manifests; what is left of them is nobody's business any more.
    expect(swept.untagged).toBe(4);
    expect((await at.plan()).document.drop).toEqual([]);
  });

  test('tags have to go first', async () => {
    await restart({ deletes: 'tags-first' });
    await three();
    const { swept } = await at.prune();
    expect(at.tags()).toEqual(['3']);
    expect(swept).toMatchObject({ deleted: 4, untagged: 0, failures: [] });
  });

  test('tags stay behind when a digest is deleted', async () => {
    await restart({ tagsStay: true });
    await three();
    await at.prune();
    expect(at.tags()).toEqual(['3']);
  });

  test('a login that may only read is told before anything is gone', async () => {
    await three();
    at.registry.fail({ kind: 'status', status: 403, method: 'DELETE', times: 100 });
    const { swept } = await at.prune();
    expect(swept.failures.map(({ code }) => code)).toEqual(['REGISTRY_UNAUTHORIZED']);
    expect(at.registry.seen.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
    expect(at.tags()).toEqual(['1', '2', '3']);
  });

  test('a registry that is busy is waited for', async () => {
    await three();
    at.registry.fail({ kind: 'status', status: 429, method: 'DELETE', headers: { 'retry-after': '7' }, times: 2 });
    at.world.slept.length = 0;
    await at.prune();
    expect(at.tags()).toEqual(['3']);
    expect(Math.max(...at.world.slept)).toBeGreaterThanOrEqual(7000);
  });
});

test('deletions keep to their rate', async () => {
  const slept: number[] = [];
  let now = 1000;
  const sleep = async (ms: number) => {
    slept.push(ms);
    now += ms;
  };
  const pace = new Pace(20, { now: () => now, sleep });
  for (let i = 0; i < 4; i++) await pace.turn();
  now += 500;
  await pace.turn();
  expect(slept).toEqual([50, 50, 50]);
});

test('policies that keep more keep what they say in the sweep too', async () => {
  at.policy = { ...BARE, keepLast: 2 };
  for (const tag of ['1', '2', '3']) await at.push(tag);
  await at.prune();
  expect(at.tags()).toEqual(['2', '3']);
});
