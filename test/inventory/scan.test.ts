import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { scan } from '../../src/inventory/index.ts';
import { deployment, FakeCluster, inlays, pod } from './fake-cluster.ts';
import { InventoryWorld } from './world.ts';

let world: InventoryWorld;
let cluster: FakeCluster;
type Image = Awaited<ReturnType<InventoryWorld['image']>>;
let iris: Image;
let rose: Image;
const id = (image: Image, digest: string) => `${image.name.replace(/:[^:/]*$/, '')}@${digest}`;

beforeEach(() => {
  cluster = new FakeCluster();
});
afterEach(() => cluster.stop());

beforeAll(async () => {
  world = await InventoryWorld.start();
  iris = await world.inlayImage('iris', '0.0.1');
  rose = await world.inlayImage('rose', '2.0.0', { onnxruntime: '1.24.0' });
});
afterAll(() => world.stop());

async function scanned(options: { all?: boolean; cache?: string } = {}) {
  const catalogue = world.catalogue(options.cache);
  const found = await scan({ kubes: [cluster.kube('prod')], catalogue, all: options.all });
  return { ...found, catalogue };
}

describe('a scan', () => {
  test('joins what runs with its image, by whichever digest the runtime tells', async () => {
    const ids = [
      id(iris, iris.index),
      id(iris, iris.manifest),
      iris.config,
      `docker-pullable://${id(iris, iris.manifest)}`,
    ];
    for (const [i, imageID] of ids.entries()) {
      cluster.put('deployments', deployment(`iris-${i}`, iris.name, { labels: inlays(`iris-${i}`) }));
      cluster.put('pods', pod(`iris-${i}`, iris.name, imageID));
    }
    const { servers, warnings, catalogue } = await scanned();
    expect(warnings).toEqual([]);
    expect(
      servers.map(({ model, libraries, os, drift, image }) => [
        model?.version,
        libraries.onnxruntime,
        os,
        drift,
        image.index,
      ]),
    ).toEqual(ids.map(() => ['0.0.1', '1.30.0', 'debian 12', [], iris.index]));
    expect(servers[0]).toMatchObject({
      replicas: { ready: 1, desired: 1 },
      restarts: 2,
      firstSeen: '2026-01-01T00:00:00Z',
      rolledOut: '2026-02-01T00:00:00Z',
      signed: false,
    });
    expect(catalogue.images().size).toBe(1);
  });

  test('looks an image up once, and not again when it is known from disk', async () => {
    for (let i = 0; i < 20; i++) {
      cluster.put('deployments', deployment(`many-${i}`, rose.name, { labels: inlays(`many-${i}`) }));
      cluster.put('pods', pod(`many-${i}`, rose.name, id(rose, rose.index)));
    }
    expect((await scanned({ cache: 'disk' })).catalogue.lookups).toBe(1);
    const again = await scanned({ cache: 'disk' });
    expect(again.catalogue.lookups).toBe(0);
    expect(again.servers.length).toBe(20);
  });

  test('tells what is not as it should be', async () => {
    const moving = await world.inlayImage('moving', '1');
    cluster.put(
      'deployments',
      deployment('moving', moving.name, { labels: inlays('moving'), annotations: { 'inlay/image': rose.name } }),
    );
    cluster.put('pods', pod('moving', moving.name, id(moving, moving.index)));
    await world.image('ml/moving:1', { Env: ['X=1'] });
    const bare = await world.image('ml/bare:1', {});
    cluster.put('deployments', deployment('bare', bare.name, { labels: inlays('bare') }));
    cluster.put('pods', pod('bare', bare.name, id(bare, bare.index)));
    const kinds = Object.fromEntries(
      (await scanned()).servers.map(({ service, drift }) => [service, drift.map(({ kind }) => kind)]),
    );
    expect(kinds).toEqual({ moving: ['tag-moved', 'differs-from-applied'], bare: ['contract-missing'] });
  });

  test('of an image that cannot be looked up says what inlay wrote beside it, while it is that image', async () => {
    const away = 'localhost:1/ml/away:1@sha256:0000000000000000000000000000000000000000000000000000000000000000';
    const annotations = (image: string) => ({
      'inlay/image': image,
      'inlay/model': 'away:1.2.0',
      'inlay/model-digest': 'sha256:abc',
      'inlay/task': 'regression',
    });
    cluster.put('deployments', deployment('away', away, { labels: inlays('away'), annotations: annotations(away) }));
    const edited = { labels: inlays('edited'), annotations: annotations(rose.name) };
    cluster.put('deployments', deployment('edited', away, edited));
    const models = Object.fromEntries(
      (await scanned()).servers.map(({ service, model, task }) => [service, { model, task }]),
    );
    expect(models).toEqual({
      away: { model: { name: 'away', version: '1.2.0', digest: 'sha256:abc' }, task: 'regression' },
      edited: { model: null, task: null },
    });
  });

  test('knows a server of somebody else by its layers, and leaves what serves no model', async () => {
    const layer = async (files: Record<string, string>) => {
      const tar = pack();
      for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
      tar.finalize();
      return {
        bytes: new Uint8Array(gzipSync(Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Uint8Array>)))),
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      };
    };
    const os = 'ID=debian\nVERSION_ID="11"\n';
    const python = (name: string, version: string) => ({
      [`usr/local/lib/python3.8/site-packages/${name}-${version}.dist-info/METADATA`]: `Name: ${name}\nVersion: ${version}\n`,
    });
    const churn = await world.image(
      'old/churn:latest',
      { Env: ['PYTHON_VERSION=3.8'] },
      await layer({ 'etc/os-release': os, ...python('scikit-learn', '0.22') }),
    );
    const shop = await world.image(
      'old/shop:latest',
      { Env: ['PYTHON_VERSION=3.8'] },
      await layer({ 'etc/os-release': os, ...python('django', '3.2') }),
    );
    const proxy = await world.image('old/proxy:latest', { Cmd: ['/proxy'] });
    for (const [name, image] of [
      ['churn', churn],
      ['shop', shop],
      ['proxy', proxy],
    ] as const) {
      cluster.put('deployments', deployment(name, image.name));
      cluster.put('pods', pod(name, image.name, id(image, image.index)));
    }
    const { servers } = await scanned();
    expect(
      servers.map(({ service, role, model, os: system, libraries, drift }) => [
        service,
        role,
        model,
        system,
        libraries,
        drift.map(({ kind }) => kind),
      ]),
    ).toEqual([['churn', null, null, 'debian 11', { 'scikit-learn': '0.22' }, ['not-inlay']]]);
    expect((await scanned({ all: true })).servers.map(({ service }) => service)).toEqual(['churn', 'proxy', 'shop']);
  });

  test('has no server for what is about to end: pods that a deleted workload leaves', async () => {
    const left = (name: string, ending: boolean, ownerReferences: object[], labels = {}) => {
      const base = pod(name, iris.name, id(iris, iris.index));
      const deletionTimestamp = ending ? { deletionTimestamp: '2026-04-01T00:00:00Z' } : {};
      return { ...base, metadata: { ...base.metadata, ...deletionTimestamp, labels, ownerReferences } };
    };
    const replicaSet = (name: string) => [{ kind: 'ReplicaSet', name: `${name}-abc`, controller: true }];
    const statefulSet = [{ kind: 'StatefulSet', name: 'set', controller: true }];
    cluster.put('pods', left('deleted', false, replicaSet('deleted'), { 'pod-template-hash': 'abc' }));
    cluster.put('pods', left('set', true, statefulSet));
    cluster.put('pods', left('bare', true, []));
    cluster.put('pods', left('canaried', false, replicaSet('canaried'), { 'rollouts-pod-template-hash': 'abc' }));
    cluster.put('pods', left('alone', false, []));
    expect((await scanned()).servers.map(({ workload }) => workload)).toEqual([
      { kind: 'Pod', name: 'alone-abc-1' },
      { kind: 'Rollout', name: 'canaried' },
    ]);
  });

  test('knows what it can of an image whose layer is broken', async () => {
    const broken = await world.image(
      'old/broken:1',
      { Labels: { maintainer: 'ada' } },
      { bytes: new Uint8Array(700).fill(65), mediaType: 'application/vnd.oci.image.layer.v1.tar' },
    );
    cluster.put('deployments', deployment('broken', broken.name, { env: ['MODEL_PATH'] }));
    cluster.put('pods', pod('broken', broken.name, id(broken, broken.index)));
    const { servers } = await scanned();
    expect(servers.map(({ owner, image, unknown }) => [owner, image.index, Object.keys(unknown)])).toEqual([
      ['ada', broken.index, ['model', 'libraries']],
    ]);
  });

  test('goes on without what it may not read: unknown parts and a warning', async () => {
    const gone = 'registry.invalid/ml/iris:1';
    cluster.put('deployments', deployment('gone', gone, { labels: inlays('gone') }));
    cluster.put('pods', pod('gone', gone, `registry.invalid/ml/iris@sha256:${'9'.repeat(64)}`));
    cluster.forbidden.add('configmaps');
    const { servers, warnings } = await scanned();
    expect(servers.map(({ service, model, os, unknown }) => [service, model, os, Object.keys(unknown)])).toEqual([
      ['gone', null, null, ['image']],
    ]);
    expect(warnings.map(({ code }) => code).sort()).toEqual(['CLUSTER_FORBIDDEN', 'REGISTRY_UNREACHABLE']);
    cluster.forbidden.clear();
    const unreadable = new FakeCluster('uid-2');
    unreadable.forbidden.add('deployments');
    const both = await scan({ kubes: [cluster.kube('prod'), unreadable.kube('locked')], catalogue: world.catalogue() });
    expect(both.servers.length).toBe(1);
    expect(both.warnings.map(({ about }) => about)).toContain('locked');
    await unreadable.stop();
  });

  test('counts contexts of one cluster once', async () => {
    cluster.put('deployments', deployment('iris', iris.name, { labels: inlays('iris') }));
    cluster.put('pods', pod('iris', iris.name, id(iris, iris.index)));
    const found = await scan({ kubes: [cluster.kube('one'), cluster.kube('two')], catalogue: world.catalogue() });
    expect(found.servers.map(({ context }) => context)).toEqual(['one']);
    expect(found.warnings.map(({ code }) => code)).toEqual(['SAME_CLUSTER']);
  });
});
