// What a node pulls of a new version where the server image is there already, by the log of the registry that it asks.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { World } from '../release/world.ts';

const LOG = join(process.env.CLUSTER_DIR ?? '/tmp/inlay-cluster', 'logs', 'registry');

let world: World;
beforeAll(async () => {
  world = new World('pull');
  await world.makeNamespace();
}, 60_000);
afterAll(() => world.close(), 120_000);

/** Blobs of a repository that nodes have asked for: digest and bytes. */
function pulled(repository: string): Map<string, number> {
  const line = new RegExp(`"GET /v2/${repository}/blobs/(sha256:[0-9a-f]+)[^"]*" 200 (\\d+) "[^"]*" "containerd`, 'g');
  return new Map(
    [...readFileSync(LOG, 'utf8').matchAll(line)].map(([, digest = '', bytes]) => [digest, Number(bytes)]),
  );
}

test.skipIf(process.env.INLAY_E2E_REGISTRY !== undefined)(
  'a new version is its config and its model layer',
  async () => {
    const server = await world.serverImage();
    const config = world.config('replicas: {initial: 1, min: 1, max: 1}');
    const first = await world.image({ version: '1.0.0', onServerImage: true, config: `serverImage: ${server}` });
    await world.must(world.deployArgs(first, '--config', config));
    // Another repository, of which the node has seen nothing.
    const other = { version: '1.0.0', service: 'other', onServerImage: true, config: `serverImage: ${server}` };
    const image = await world.image(other);
    await world.must(
      world.deployArgs(image, '--config', world.config('replicas: {initial: 1, min: 1, max: 1}', 'other')),
    );
    type Layers = { kind: string; digest: string; sizeBytes: number }[];
    const described = JSON.parse(
      await world.must(['inspect', image, '--json', '--insecure-registry', world.cluster.registry]),
    );
    const layers = described.layers as Layers;
    const own = layers.filter(({ kind }) => kind === 'model').map(({ digest }) => digest);
    const shared = layers.filter(({ kind }) => kind !== 'model');
    const asked = pulled(`${world.namespace}/other`);
    const bytes = [...asked.values()].reduce((sum, one) => sum + one, 0);
    process.stderr.write(
      `pulled of the new version: ${asked.size} blobs, ${bytes} bytes; ${shared.length} shared layers of ${shared.reduce((sum, one) => sum + one.sizeBytes, 0)} bytes were there\n`,
    );
    for (const digest of own) expect(asked.has(digest)).toBe(true);
    for (const { digest } of shared) expect(asked.has(digest)).toBe(false);
    expect(shared).toHaveLength(3);
  },
  300_000,
);
