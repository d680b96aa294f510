// What a plan keeps of a registry, why, and what it refuses to know.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sweepOrder } from '../../src/prune/index.ts';
import { digestOf, journalOf, LATER, released, releaseOf } from '../cluster/releases.ts';
import { deployment, FakeCluster, pod } from '../inventory/fake-cluster.ts';
import { BARE, NO_MANIFEST, Pruning, tagsOf } from './pruning.ts';

let at: Pruning;
beforeEach(async () => {
  at = await Pruning.start();
});
afterEach(() => at.stop());

const template = (image: string) => ({ spec: { containers: [{ name: 'server', image }] } });
const named = (name: string) => ({ name, namespace: 'ml' });

/** Codes by the image's first tag. */
function kept(
  keep: readonly { readonly tags: readonly string[]; readonly reasons: readonly { readonly code: string }[] }[],
) {
  return Object.fromEntries(keep.map(({ tags, reasons }) => [tags[0] ?? 'untagged', reasons.map(({ code }) => code)]));
}

test('what runs or could run stays, whatever holds it', async () => {
  const holders: Record<string, (image: string) => [string, object]> = {
    '1.0': (image) => ['deployments', deployment('iris', image)],
    '1.1': (image) => ['deployments', deployment('asleep', image, { replicas: 0 })],
    '1.2': (image) => [
      'replicasets',
      { metadata: named('iris-old'), spec: { replicas: 0, template: template(image) } },
    ],
    '1.3': (image) => ['statefulsets', { metadata: named('state'), spec: { template: template(image) } }],
    '1.4': (image) => ['daemonsets', { metadata: named('daemon'), spec: { template: template(image) } }],
    '1.5': (image) => ['jobs', { metadata: named('job'), spec: { template: template(image) } }],
    '1.6': (image) => [
      'cronjobs',
      { metadata: named('cron'), spec: { jobTemplate: { spec: { template: template(image) } } } },
    ],
    '1.7': (image) => [
      'controllerrevisions',
      { metadata: named('rev'), data: { spec: { template: template(image) } } },
    ],
    '1.8': (image) => [
      'replicationcontrollers',
      { metadata: named('rc'), spec: { replicas: 1, template: template(image) } },
    ],
    '1.9': (image) => [
      'pods',
      { metadata: named('init'), spec: { containers: [], initContainers: [{ name: 'x', image }] } },
    ],
    '1.10': (image) => [
      'pods',
      {
        metadata: named('volume'),
        spec: { containers: [], volumes: [{ name: 'model', image: { reference: image } }] },
      },
    ],
  };
  for (const [tag, holder] of Object.entries(holders)) {
    await at.push(tag);
    const [kind, object] = holder(`${at.name()}:${tag}`);
    at.cluster.put(kind, object as never);
  }
  await at.push('0.1');
  await at.push('2.0');
  const { document } = await at.plan();
  expect(kept(document.keep)).toEqual({
    '1.0': ['RUNS'],
    '1.1': ['COULD_RUN'],
    '1.2': ['COULD_RUN'],
    '1.3': ['RUNS'],
    '1.4': ['RUNS'],
    '1.5': ['COULD_RUN'],
    '1.6': ['COULD_RUN'],
    '1.7': ['COULD_RUN'],
    '1.8': ['RUNS'],
    '1.9': ['RUNS'],
    '1.10': ['RUNS'],
    '2.0': ['LAST_VERSIONS'],
  });
  expect(tagsOf(document.drop)).toEqual(['0.1']);
  expect(document.gaps).toEqual([]);
  expect(document.keep.find(({ tags }) => tags[0] === '1.0')?.reasons[0]?.detail).toBe('prod: ml/Deployment/iris');
});

test('a pod protects by what its node calls the image: index, manifest or config; a mirror’s name is no other image', async () => {
  const [index, manifest, config] = [await at.push('1.0'), await at.push('1.1'), await at.push('1.2')];
  await at.push('1.3');
  await at.push('2.0');
  const configDigest = JSON.parse(at.registry.repo('ml/iris').manifests.get(config.manifest)?.bytes.toString() ?? '')
    .config.digest;
  at.cluster.put(
    'pods',
    pod('a', 'mirror.example.com/ml/iris:x', `mirror.example.com/ml/iris@${index.digest}`, { name: 'a' }),
  );
  at.cluster.put('pods', pod('b', 'iris', `docker-pullable://elsewhere/iris@${manifest.manifest}`, { name: 'b' }));
  at.cluster.put('pods', pod('c', 'iris', configDigest, { name: 'c' }));
  at.cluster.put('pods', pod('d', 'mirror.example.com/cache/ml/iris:1.3', '', { name: 'd' }));
  const { document } = await at.plan();
  expect(tagsOf(document.keep)).toEqual(['1.0', '1.1', '1.2', '1.3', '2.0']);
});

test('journals keep what is stable, what is released, what it falls back to, and the rollback window', async () => {
  const images = new Map<string, string>();
  for (const tag of ['1', '2', '3', '4', '5', '6']) images.set(tag, (await at.push(tag)).digest);
  at.policy = { ...BARE, keepLast: 2 };
  const real = (text: string) =>
    [...images].reduce((all, [tag, digest]) => all.replaceAll(digestOf(tag), digest), text);
  const journal = journalOf(
    released(1, '1', LATER),
    released(2, '2', LATER),
    released(3, '3'),
    releaseOf(4, '4', { state: 'paused', before: { reference: 'x', digest: digestOf('3'), version: '3' } }),
  );
  at.cluster.put('configmaps', {
    metadata: { name: 'inlay-iris', namespace: 'ml', labels: { 'app.kubernetes.io/managed-by': 'inlay' } },
    data: { 'journal.json': real(JSON.stringify(journal)) },
  });
  const { document } = await at.plan();
  expect(kept(document.keep)).toEqual({
    '2': ['ROLLBACK'],
    '3': ['RELEASE', 'ROLLBACK'],
    '4': ['RELEASE'],
    '5': ['LAST_VERSIONS'],
    '6': ['LAST_VERSIONS'],
  });
});

test('rules: last versions by their order, tags by pattern, grace by what is proven, locks, bases', async () => {
  at.policy = { keepLast: 2, graceMs: 86_400_000, keepTags: ['prod-*'] };
  for (const tag of ['1.9', '1.10', '1.10-rc1', 'prod-1', '1.8']) await at.push(tag);
  const pinned = await at.push('1.7');
  at.locked = [{ code: 'LOCKED', digest: pinned.digest, by: 'inlay.lock' }];
  // Everything is new to a first look.
  expect((await at.plan()).document.drop).toEqual([]);
  at.now += 2 * 86_400_000;
  await at.push('0.1');
  const { document } = await at.plan();
  expect(kept(document.keep)).toEqual({
    '0.1': ['NEW'],
    '1.10': ['LAST_VERSIONS'],
    '1.10-rc1': ['LAST_VERSIONS'],
    '1.7': ['LOCKED'],
    'prod-1': ['KEPT_TAG', 'LAST_VERSIONS'],
  });
  expect(tagsOf(document.drop)).toEqual(['1.8', '1.9']);
});

test('a release proves how long an image has been there', async () => {
  at.policy = { ...BARE, graceMs: 86_400_000 };
  const [old] = [await at.push('1'), await at.push('2')];
  const journal = JSON.stringify(journalOf(released(1, '1', LATER)))
    .replaceAll(digestOf('1'), old.digest)
    .replaceAll('registry.example.com/ml/iris', at.name())
    .replace('"outcome":"released"', '"outcome":"backed-out"');
  at.cluster.put('configmaps', {
    metadata: { name: 'inlay-iris', namespace: 'ml', labels: { 'app.kubernetes.io/managed-by': 'inlay' } },
    data: { 'journal.json': journal },
  });
  expect(tagsOf((await at.plan()).document.drop)).toEqual(['1']);
});

test('an image that lost its tag is remembered, and goes', async () => {
  const first = await at.push('latest');
  await at.plan();
  await at.world.image(await at.world.layout(), 'x', new Uint8Array(1));
  at.registry.repo('ml/iris').tags.delete('latest');
  await at.push('1.0');
  const { document } = await at.plan();
  expect(document.drop.map(({ digest, reasons }) => [digest, reasons.map(({ code }) => code)])).toEqual([
    [first.digest, ['UNUSED', 'UNTAGGED', 'AGED']],
  ]);
});

for (const referrersApi of [true, false])
  test(`what is attached goes and stays with its image, ${referrersApi ? 'by the API' : 'by tags'}`, async () => {
    await at.stop();
    at = await Pruning.start({ referrersApi });
    const [old, now] = [await at.push('1.0'), await at.push('2.0')];
    const gone = await at.attach(old.manifest, 'old');
    const signature = await at.attach(gone, 'signature of the sbom');
    await at.attach(now.manifest, 'new');
    const { document, marked } = await at.plan();
    expect(tagsOf(document.keep)).toEqual(['2.0']);
    const goes = marked.flatMap(sweepOrder).map(({ digest }) => digest);
    expect(goes).toContain(gone);
    expect(goes).toContain(signature);
    expect(goes.indexOf(old.digest)).toBe(0);
    expect(goes).not.toContain(now.manifest);
    expect(document.drop).toHaveLength(1);
    expect(document.freeBytes).toBe(document.drop[0]?.freeBytes ?? 0);
  });

describe('what cannot be known stands in the plan', () => {
  beforeEach(async () => {
    await at.push('1.0');
    await at.push('2.0');
  });
  const codes = async (...more: Parameters<Pruning['plan']>) =>
    (await at.plan(...more)).document.gaps.map(({ code }) => code);

  test('a repository whose clusters nobody declares', async () => {
    at.declared = undefined;
    expect(await codes()).toEqual(['PRUNE_UNDECLARED']);
  });

  test('a declared cluster that no context leads to; one that is declared and not named is found', async () => {
    at.declared = ['uid-1', 'uid-2'];
    expect(await codes()).toEqual(['CLUSTER_NOT_FOUND']);
  });

  test('a cluster of which one kind may not be read', async () => {
    for (const kind of ['pods', 'cronjobs', 'configmaps', 'replicasets']) {
      at.cluster.forbidden.add(kind);
      expect([kind, await codes()]).toEqual([kind, ['CLUSTER_FORBIDDEN']]);
      at.cluster.forbidden.delete(kind);
    }
  });

  test('a cluster that does not answer, declared or named', async () => {
    const other = new FakeCluster('uid-2');
    const kube = other.kube('away');
    await other.stop();
    at.declared = ['uid-1', 'uid-2'];
    const clusters = await at.clusters([at.cluster.kube('prod'), kube]);
    expect((await codes(undefined, clusters)).sort()).toEqual(['CLUSTER_NOT_FOUND', 'CLUSTER_UNREACHABLE']);
    // One that was not named: what is missing may be behind it.
    const welcome = await at.clusters([at.cluster.kube('prod'), kube], false);
    const { gaps } = (await at.plan(undefined, welcome)).document;
    expect(gaps).toMatchObject([{ code: 'CLUSTER_NOT_FOUND', hint: expect.stringContaining('away') }]);
  });

  test('a journal that this inlay cannot read', async () => {
    at.cluster.put('configmaps', {
      metadata: { name: 'inlay-iris', namespace: 'ml', labels: { 'app.kubernetes.io/managed-by': 'inlay' } },
      data: { 'journal.json': '{"schemaVersion": 99}' },
    });
    expect(await codes()).toEqual(['JOURNAL_INVALID']);
  });

  test('a registry that fails in the middle, and one that has no such repository', async () => {
    at.registry.fail({ kind: 'status', status: 500, path: /manifests\/2\.0/, times: 100 });
    expect(await codes()).toEqual(['REGISTRY_FAILED']);
    expect(await codes(at.targets('ml/nothing'))).toEqual(['REGISTRY_NOT_FOUND']);
  });

  test('a clock that is not the registry’s: what was seen by it is not remembered', async () => {
    for (const hours of [-2, 2]) {
      at.registry.clockAheadMs = hours * 3_600_000;
      expect([hours, await codes()]).toEqual([hours, ['CLOCK_WRONG']]);
    }
    at.registry.clockAheadMs = 0;
    at.policy = { ...BARE, graceMs: 86_400_000 };
    at.now += 2 * 86_400_000;
    const { document } = await at.plan();
    expect([document.gaps, document.drop]).toEqual([[], []]);
    expect(kept(document.keep)['1.0']).toEqual(['NEW']);
  });

  test('a tag that names something of an unknown kind', async () => {
    const { manifests, tags } = at.registry.repo('ml/iris');
    manifests.set(digestOf('odd'), NO_MANIFEST);
    tags.set('odd', digestOf('odd'));
    const [code] = await codes();
    expect(['IMAGE_INVALID', 'INTEGRITY_MISMATCH']).toContain(code as string);
  });
});

test('lists of tags that are cut off without a word are read to their end', async () => {
  await at.stop();
  at = await Pruning.start({ pageSize: 2, links: false });
  for (const tag of ['1', '2', '3', '4', '5']) await at.push(tag);
  const { document } = await at.plan();
  expect(document.repositories[0]?.tags).toBe(5);
  expect(tagsOf(document.keep)).toEqual(['5']);
});

test('a list of tags that leads elsewhere is a gap', async () => {
  await at.push('1');
  at.registry.fail({
    kind: 'status',
    status: 200,
    path: /tags\/list/,
    headers: { link: '<http://other.example/v2/ml/iris/tags/list?last=1>; rel="next"' },
    body: '{"tags": ["1"]}',
  });
  expect((await at.plan()).document.gaps.map(({ code }) => code)).toEqual(['REGISTRY_FAILED']);
});

test('a second plan asks for tags alone; a note that is damaged is read anew', async () => {
  for (const tag of ['1', '2', '3']) await at.push(tag);
  await at.plan();
  at.registry.reset();
  const again = await at.plan();
  expect(at.registry.seen.filter(({ method, path }) => method === 'GET' && path.includes('/manifests/'))).toEqual([]);
  expect(at.registry.seen.filter(({ method }) => method === 'HEAD')).toHaveLength(3);
  const [note] = await readdir(join(at.dir, 'repositories'));
  const path = join(at.dir, 'repositories', note as string);
  const text = await Bun.file(path).text();
  await Bun.write(
    path,
    text.replace(/"manifests":\[\["sha256:../, (found) => `${found.slice(0, -2)}zz`),
  );
  const { document } = await at.plan();
  expect(document.keep).toEqual(again.document.keep);
  expect(document.gaps).toEqual([]);
});

test('what images share is free only when none of them stays, in any repository of the registry', async () => {
  await at.push('1', 'ml/iris');
  await at.push('2', 'ml/iris');
  await at.push('1', 'ml/churn');
  const layers = at.world.shared.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const alone = (await at.plan(at.targets('ml/iris', 'ml/churn'))).document;
  expect(alone.drop).toHaveLength(1);
  expect(alone.freeBytes).toBeLessThan(layers);
  expect(alone.drop[0]?.sizeBytes).toBeGreaterThan(layers);
});
