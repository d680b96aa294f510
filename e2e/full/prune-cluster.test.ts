// Pruning beside a real cluster: of forty versions those stay that run, could run, or may be rolled back to; a sweep that is killed goes on; a
// version that is deployed meanwhile survives; what was promised is free; and every image that was kept runs.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PruneDocument, SweepResult } from '../../src/prune/index.ts';
import { ROOT } from '../inlay.ts';
import { apply, deploymentOf, podOf, runsOnce, trustOnNodes } from '../prune/pods.ts';
import { buildVersions, forgetVersions, STORE } from '../prune/versions.ts';
import { type DockerRegistry, startDockerRegistry } from '../registries.ts';
import { World } from '../release/world.ts';

const INLAY = join(ROOT, 'bin', 'inlay');
const VERSIONS = Array.from({ length: 40 }, (_, i) => `0.${i}.0`);

let world: World;
let registry: DockerRegistry;
let repository: string;
let references: string[] = [];
let distrust: (() => void) | undefined;
let file: string;
let home: string;

beforeAll(async () => {
  world = new World('prune');
  home = join(world.dir, 'home');
  const { cluster } = world;
  registry = await startDockerRegistry({ address: '10.244.0.1', command: (words) => cluster.command(words) });
  repository = `${registry.host}/ml/iris`;
  distrust = trustOnNodes(registry.host);
  await world.makeNamespace();
  references = await buildVersions(world.dir, repository, VERSIONS);
  await cluster.must([process.execPath, join(ROOT, 'e2e/prune/versions.ts'), ...references]);
  const uid = await cluster.kubectl(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}']);
  file = join(world.dir, 'prune.yaml');
  writeFileSync(
    file,
    `clusters: [${uid}]\nkeepLast: 2\ngrace: 0s\nkeepTags: ["0.5.*"]\nrepositories: {"${repository}": {}}\n`,
  );
}, 600_000);

afterAll(async () => {
  await world.close();
  distrust?.();
  await forgetVersions(references);
  await registry.stop();
}, 180_000);

const pod = (versions: readonly string[]) => podOf(repository, versions);

const deployment = (name: string, versions: readonly string[], replicas?: number) =>
  deploymentOf(name, pod(versions), replicas);

const cronJob = (version: string) => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'nightly' },
  spec: {
    schedule: '0 3 1 1 *',
    jobTemplate: {
      spec: { template: { spec: { ...pod([version]), restartPolicy: 'Never' } } },
    },
  },
});

const args = (...more: string[]) => [
  'prune',
  '--config',
  file,
  '--no-local',
  '--insecure-registry',
  registry.host,
  ...more,
];

async function plan(...more: string[]): Promise<PruneDocument & { swept?: SweepResult }> {
  return JSON.parse(await world.must(args('--json', ...more), { INLAY_HOME: home }));
}

const versionsOf = (images: readonly { readonly tags: readonly string[] }[]) =>
  images.map(({ tags }) => tags[0]).sort();

test('40 versions: plan, sweep, kill -9, resumption, a version deployed meanwhile, and every kept image runs', async () => {
  // Released by inlay, released again, rolled back: the journal remembers both.
  const config = world.config(
    'replicas: {initial: 1, min: 1, max: 1}, canary: {steps: [50], interval: 1s, bake: 1s, onInconclusive: pass}',
  );
  const deploy = async (version: string) => {
    const { code, stderr } = await world.deploy(`${repository}:${version}`, '--config', config);
    expect([code, stderr]).toEqual([0, expect.any(String)]);
  };
  await deploy('0.1.0');
  await deploy('0.2.0');
  await world.must(['rollback', 'iris', '-n', world.namespace]);
  // Three run, one sleeps, one is only in a CronJob.
  await apply(world, deployment('two', ['0.10.0', '0.11.0']), deployment('asleep', ['0.12.0'], 0), cronJob('0.13.0'));
  const planned = await plan();
  expect(planned.gaps).toEqual([]);
  const reasons = Object.fromEntries(planned.keep.map(({ tags, reasons: [first] }) => [tags[0], first?.code]));
  expect(reasons).toEqual({
    '0.1.0': 'RUNS',
    // Its last pod may still be ending.
    '0.2.0': expect.any(String),
    '0.10.0': 'RUNS',
    '0.11.0': 'RUNS',
    '0.12.0': 'COULD_RUN',
    '0.13.0': 'COULD_RUN',
    '0.38.0': 'LAST_VERSIONS',
    '0.39.0': 'LAST_VERSIONS',
    '0.5.0': 'KEPT_TAG',
  });
  const back = planned.keep.find(({ tags }) => tags[0] === '0.2.0');
  expect(back?.reasons.map(({ code }) => code)).toContain('ROLLBACK');
  expect(planned.drop).toHaveLength(31);

  // The last in turn, so that it is there when it is deployed.
  const [late = ''] = planned.drop.at(-1)?.tags ?? [];

  await registry.collect();
  const before = registry.storedBytes();
  // Killed in the middle; and while it was away somebody deploys what its plan would have deleted.
  const sweeping = Bun.spawn(world.cluster.command([INLAY, ...args('--yes', '--rate', '10')]), {
    cwd: ROOT,
    env: { ...process.env, KUBECONFIG: world.cluster.kubeconfig, INLAY_HOME: home },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  let deleted = 0;
  let deployed = false;
  for await (const chunk of sweeping.stderr) {
    deleted += new TextDecoder().decode(chunk).match(/^deleted /gm)?.length ?? 0;
    if (deleted >= 5 && !deployed) {
      deployed = true;
      await apply(world, deployment('late', [late], 0));
    }
    if (deleted >= 40) break;
  }
  sweeping.kill('SIGKILL');
  await sweeping.exited;
  expect(deleted).toBeGreaterThanOrEqual(40);

  const { swept } = await plan('--yes', '--rate', '1000');
  expect(swept).toMatchObject({ failures: [] });
  const left = [...Object.keys(reasons), late].sort();
  const after = await plan();
  expect(versionsOf(after.keep)).toEqual(left);
  expect(after.drop).toEqual([]);

  await registry.collect();
  const freed = before - registry.storedBytes();
  const spared = planned.drop.find(({ tags }) => tags[0] === late)?.freeBytes ?? 0;
  const promised = planned.freeBytes - spared;
  expect(Math.abs(freed - promised)).toBeLessThanOrEqual(promised / 100);

  // Pulled from the registry, all of them in pods of five, and ready: each server has replayed its model.
  await world.kubectl('delete', 'deployments', 'two', 'iris', '--wait');
  for (let i = 0; i < left.length; i += 5) await runsOnce(world, pod(left.slice(i, i + 5)));
}, 600_000);

test('a cluster that is declared and cannot be read stops it before anything is gone', async () => {
  const other = join(world.dir, 'other.yaml');
  writeFileSync(other, `clusters: [another-uid]\ngrace: 0s\nkeepLast: 1\nrepositories: {"${repository}": {}}\n`);
  const more = ['--no-local', '--yes', '--json', '--insecure-registry', registry.host];
  const { code, stderr } = await world.inlay(['prune', '--config', other, ...more], { INLAY_HOME: home });
  expect([code, JSON.parse(stderr).error.code]).toEqual([1, 'PRUNE_REFUSED']);
  expect(STORE).not.toBe(home);
}, 60_000);

test('the API server takes what the CronJob is made of', async () => {
  const image = `${registry.host}/ml/inlay@sha256:${'0'.repeat(64)}`;
  const more = [
    '--image',
    image,
    '-n',
    world.namespace,
    '--registry-secret',
    'login',
    '--kubeconfig-secret',
    'clusters',
  ];
  const yaml = await world.must(['prune', '--config', file, '--manifests', '--yes', ...more]);
  const applied = await world.cluster.kubectl(['apply', '--server-side', '--dry-run=server', '-f', '-'], yaml);
  expect(applied.match(/serverside-applied/g)).toHaveLength(yaml.split('---\n').length);
}, 60_000);
