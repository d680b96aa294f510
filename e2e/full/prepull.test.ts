// What it is worth to have the server image on a node before a model comes: from Pending to Ready, and what is pulled, side by side.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { must } from '../inlay.ts';
import { until, World } from '../release/world.ts';

const DIR = process.env.CLUSTER_DIR ?? '/tmp/inlay-cluster';
const LOG = join(DIR, 'logs', 'registry');
const ROUNDS = 3;

let world: World;
beforeAll(async () => {
  world = new World('prepull');
  await world.makeNamespace();
}, 60_000);
afterAll(() => world.close(), 120_000);

const ctr = (...args: string[]) =>
  must([
    join(dirname(process.env.INLAY_E2E_KUBECTL ?? ''), 'ctr'),
    ...['--address', join(DIR, 'containerd.sock'), '--namespace', 'k8s.io', ...args],
  ]);

/** What the files of this test's server image are dated: no other image has its layers, so no other pod keeps them on the node. */
const EPOCH_S = 1;

/** What a node keeps of an image: its layers as they were pulled, and as they are unpacked (by chain ID: OCI image spec, config.md). */
interface Kept {
  readonly blobs: readonly string[];
  readonly snapshots: readonly string[];
}

async function keptOf(reference: string): Promise<Kept> {
  const [, host, repository, tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? [];
  const get = async (path: string) =>
    JSON.parse(
      await world.cluster.must([
        ...['curl', '-fsS', '-H', 'accept: application/vnd.oci.image.index.v1+json'],
        ...['-H', 'accept: application/vnd.oci.image.manifest.v1+json', `http://${host}/v2/${repository}/${path}`],
      ]),
    );
  const { manifests } = (await get(`manifests/${tag}`)) as { manifests: { digest: string }[] };
  type Manifest = { config: { digest: string }; layers: { digest: string }[] };
  const { config, layers } = (await get(`manifests/${manifests[0]?.digest}`)) as Manifest;
  const { rootfs } = (await get(`blobs/${config.digest}`)) as { rootfs: { diff_ids: string[] } };
  const snapshots: string[] = [];
  for (const diffId of rootfs.diff_ids) {
    const below = snapshots.at(-1);
    snapshots.push(below === undefined ? diffId : `sha256:${sha256(`${below} ${diffId}`)}`);
  }
  return { blobs: layers.map(({ digest }) => digest), snapshots };
}

const sha256 = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex');

/**
 * The node without this test's images. A container that has ended holds on to its layers until the kubelet removes it, within a
 * minute; the leases' end is what makes containerd collect what nothing holds.
 */
async function emptyNode(server: Kept): Promise<void> {
  await until(
    'a node without the server image',
    async () => {
      const names = await imagesHere();
      if (names.length > 0) await ctr('images', 'rm', '--sync', ...names);
      await ctr('leases', 'create', '--id', world.namespace);
      await ctr('leases', 'rm', '--sync', world.namespace);
      const there = (await ctr('content', 'ls', '-q')) + (await ctr('snapshots', 'ls'));
      return ![...server.blobs, ...server.snapshots].some((digest) => there.includes(digest)) || (await pause());
    },
    180,
  );
}

/**
 * The names that the node has for this test's images: the kubelet's own, and an image's ID, which containerd notes besides. An ID
 * alone is what somebody left who removed the other name.
 */
async function imagesHere(): Promise<string[]> {
  const rows = (await ctr('images', 'ls')).split('\n').slice(1);
  const all = rows.map((row) => ({ name: row.split(' ')[0] ?? '', digest: / (sha256:[0-9a-f]{64}) /.exec(row)?.[1] }));
  const named = all.filter(({ name }) => !name.startsWith('sha256:'));
  const others = new Set(named.filter(({ name }) => !name.includes(world.namespace)).map(({ digest }) => digest));
  return all.filter(({ name, digest }) => name !== '' && !others.has(digest)).map(({ name }) => name);
}

async function pause(): Promise<false> {
  await Bun.sleep(2000);
  return false;
}

/** Bytes of blobs that nodes have asked the registry for since it had written so much of its log. */
function pulledSince(offset: number): number {
  const text = readFileSync(LOG).subarray(offset).toString();
  const line = /"GET \/v2\/[^"]*\/blobs\/sha256:[0-9a-f]+[^"]*" 200 (\d+) "[^"]*" "containerd/g;
  return [...text.matchAll(line)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test.skipIf(process.env.INLAY_E2E_REGISTRY !== undefined)(
  'a pod of a new model is Ready sooner, and pulls its model alone',
  async () => {
    const server = await world.serverImage(EPOCH_S);
    // Pushed just now, from the same sources: it is there.
    const daemonSet = await world.must(
      [
        ...['server-image', server, '--lock', join(world.dir, 'server.lock'), '--push', '--force', '--prepull'],
        ...['--insecure-registry', world.cluster.registry],
      ],
      { SOURCE_DATE_EPOCH: String(EPOCH_S) },
    );
    const kept = await keptOf(server);
    // The first Deployment has the pod that every round starts, of the image of that round.
    const manifests: { kind: string; spec: { template: { metadata: object; spec: { containers: object[] } } } }[] = [];
    const figures = {
      without: { ms: [] as number[], bytes: [] as number[] },
      with: { ms: [] as number[], bytes: [] as number[] },
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (const how of ['without', 'with'] as const) {
        const image = await world.image({
          version: `1.${round}.${how === 'with' ? 1 : 0}`,
          onServerImage: true,
          config: `serverImage: ${server}`,
        });
        await world.kubectl('delete', 'daemonset', 'inlay-prepull', '--ignore-not-found', '--wait');
        await emptyNode(kept);
        if (how === 'with') {
          await world.cluster.kubectl(['-n', world.namespace, 'apply', '-f', '-'], daemonSet);
          await world.kubectl('rollout', 'status', 'daemonset/inlay-prepull', '--timeout=120s');
        }
        if (manifests.length === 0) {
          await world.must(world.deployArgs(image, '--config', world.config('replicas: {initial: 1, min: 1, max: 1}')));
          manifests.push(await world.get('deployment', 'iris'));
          await world.kubectl('delete', 'deployment,hpa', '--all', '--wait');
          await world.kubectl('delete', 'pods', '-l', 'app.kubernetes.io/name=iris', '--wait');
          await emptyNode(kept);
        }
        const { digest } = JSON.parse(
          await world.must(['inspect', image, '--json', '--insecure-registry', world.cluster.registry]),
        ) as { digest: string };
        const { metadata, spec } = manifests[0]?.spec.template ?? { metadata: {}, spec: { containers: [] } };
        const pod = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { ...metadata, name: 'started' },
          spec: { ...spec, containers: spec.containers.map((one) => ({ ...one, image: `${image}@${digest}` })) },
        };
        const offset = statSync(LOG).size;
        await world.cluster.kubectl(['-n', world.namespace, 'apply', '-f', '-'], JSON.stringify(pod));
        const begun = performance.now();
        await world.kubectl('wait', '--for=condition=Ready', 'pod/started', '--timeout=120s');
        figures[how].ms.push(performance.now() - begun);
        figures[how].bytes.push(pulledSince(offset));
        await world.kubectl('delete', 'pod', 'started', '--wait');
      }
    }
    for (const how of ['without', 'with'] as const)
      process.stderr.write(
        `${how} pre-pull: Pending to Ready ${(median(figures[how].ms) / 1000).toFixed(2)} s (${figures[how].ms.map((ms) => (ms / 1000).toFixed(2)).join(', ')}), ${median(figures[how].bytes)} bytes pulled\n`,
      );
    // A node without the image pulls tens of megabytes, one with it the model and its config.
    for (const bytes of figures.without.bytes) expect(bytes).toBeGreaterThan(20e6);
    for (const bytes of figures.with.bytes) expect(bytes).toBeLessThan(50_000);
  },
  1_800_000,
);
