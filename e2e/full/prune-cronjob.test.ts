// Pruning by a CronJob in a pod of a real cluster: inlay's own image, the ClusterRole of prune, the registry's login from a Secret. It plans, it
// sweeps, what it kept still runs; what it may not know stops it, and its log says why.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PruneDocument, SweepResult } from '../../src/prune/index.ts';
import { must, ROOT } from '../inlay.ts';
import { apply, deploymentOf, podOf, runsOnce, trustOnNodes } from '../prune/pods.ts';
import { buildVersions, forgetVersions, STORE } from '../prune/versions.ts';
import { type DockerRegistry, startDockerRegistry } from '../registries.ts';
import { until, World } from '../release/world.ts';

const INLAY = join(ROOT, 'bin', 'inlay');
const VERSIONS = Array.from({ length: 9 }, (_, i) => `0.${i}.0`);
const LOGIN = { username: 'pruner', password: 'not-to-be-seen-in-any-log' };

let world: World;
let registry: DockerRegistry;
let repository: string;
let references: string[] = [];
let distrust: (() => void) | undefined;
let file: string;
let uid: string;
let cliImage: string;
/** Of the one who runs inlay here. */
let env: Record<string, string>;

beforeAll(async () => {
  world = new World('prune-cronjob');
  const { cluster } = world;
  await world.makeNamespace();
  registry = await startDockerRegistry({
    login: LOGIN,
    address: '10.244.0.1',
    command: (words) => cluster.command(words),
  });
  repository = `${registry.host}/ml/iris`;
  distrust = trustOnNodes(registry.host);
  const config = join(world.dir, 'docker');
  mkdirSync(config);
  const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
  writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  env = { DOCKER_CONFIG: config, INLAY_HOME: join(world.dir, 'home') };
  await world.kubectl(
    ...['create', 'secret', 'generic', 'login', '--type=kubernetes.io/dockerconfigjson'],
    `--from-file=.dockerconfigjson=${join(config, 'config.json')}`,
  );
  references = await buildVersions(world.dir, repository, VERSIONS);
  await cluster.must([process.execPath, join(ROOT, 'e2e/prune/versions.ts'), ...references], { env });
  uid = await cluster.kubectl(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}']);
  file = declare('prune.yaml', [uid]);
  await makeVolume('inlay-prune');
  await makeVolume('inlay-hub');
  const own = `${cluster.registry}/${world.namespace}/inlay`;
  const lock = join(world.dir, 'cli.lock');
  const built = JSON.parse(
    await must([INLAY, 'cli-image', own, '--lock', lock, '--json'], {
      env: { INLAY_HOME: STORE },
    }),
  );
  await world.must(['push', built.reference, '--insecure-registry', cluster.registry]);
  cliImage = built.reference;
}, 600_000);

afterAll(async () => {
  await world.close();
  const { cluster, namespace } = world;
  const gone = async (kind: string, ...names: string[]) =>
    cluster.tryKubectl(['delete', kind, '--ignore-not-found', ...names]);
  await gone('pv', `${namespace}-inlay-prune`, `${namespace}-inlay-hub`);
  const bindings = ['inlay-prune', 'inlay-hub', 'inlay-hub-prune'].map((name) => `${name}:${namespace}`);
  await gone('clusterrolebinding', ...bindings);
  distrust?.();
  await forgetVersions(references);
  await registry.stop();
}, 180_000);

function declare(name: string, clusters: readonly string[]): string {
  const path = join(world.dir, name);
  writeFileSync(
    path,
    `clusters: ${JSON.stringify(clusters)}\nkeepLast: 2\ngrace: 0s\nrepositories: {"${repository}": {}}\n`,
  );
  return path;
}

/** A cluster of one machine provisions no volumes. @param claim the PersistentVolumeClaim that takes it */
async function makeVolume(claim: string): Promise<void> {
  const path = join(world.dir, claim);
  mkdirSync(path);
  // A pod is not root, and a hostPath is not given to it.
  chmodSync(path, 0o777);
  chmodSync(world.dir, 0o755);
  const spec = {
    capacity: { storage: '5Gi' },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: world.namespace, name: claim },
    hostPath: { path },
  };
  await apply(world, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${world.namespace}-${claim}` },
    spec,
  });
}

/** The CronJob as the command prints it, applied as its documentation says. */
async function schedule(declaration: string, ...more: string[]): Promise<void> {
  const yaml = await world.must([
    ...['prune', '--config', declaration, '--manifests', '--image', cliImage, '-n', world.namespace],
    ...['--registry-secret', 'login', '--insecure-registry', registry.host, ...more],
  ]);
  expect(yaml).not.toContain(LOGIN.password);
  await world.cluster.kubectl(['apply', '--server-side', '-f', '-'], yaml);
}

async function night(name: string): Promise<{ readonly outcome: string; readonly log: string }> {
  await world.kubectl('create', 'job', name, '--from=cronjob/inlay-prune');
  type Job = { status: { conditions?: { type: string; status: string }[] } };
  const outcome = await until(
    `the job ${name} has ended`,
    async () => {
      const { status } = await world.get<Job>('job', name);
      return status.conditions?.find(
        ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
      )?.type;
    },
    180,
  );
  const log = await world.kubectl('logs', `job/${name}`);
  expect(log).not.toContain(LOGIN.password);
  return { outcome, log };
}

const pod = (versions: readonly string[]) => ({
  ...podOf(repository, versions),
  imagePullSecrets: [{ name: 'login' }],
});

const deployment = (name: string, versions: readonly string[], replicas?: number) =>
  deploymentOf(name, pod(versions), replicas);

const args = (...more: string[]) => [
  ...['prune', '--config', file, '--no-local', '--insecure-registry', registry.host, ...more],
];

async function plan(): Promise<PruneDocument> {
  return JSON.parse(await world.must(args('--json'), env));
}

const tagsOf = (images: readonly { readonly tags: readonly string[] }[]) => images.map(({ tags }) => tags[0]).sort();

test('a first one plans: its log says what would go and why nothing did, and all is still there', async () => {
  await apply(world, deployment('asleep', ['0.0.0'], 0));
  await schedule(file);
  const { outcome, log } = await night('plan');
  expect([outcome, log]).toEqual(['Complete', expect.stringContaining('Nothing was deleted')]);
  expect(log).toContain(`${repository}:0.0.0`);
  expect(log).toContain('drops  6');
  expect((await plan()).drop).toHaveLength(6);
}, 600_000);

test('a declared cluster that it cannot reach stops it, and so does one that it may not read', async () => {
  await schedule(declare('two.yaml', [uid, 'another-cluster']), '--yes');
  const away = await night('away');
  expect([away.outcome, away.log]).toEqual(['Failed', expect.stringContaining('PRUNE_REFUSED')]);
  expect(away.log).toContain('CLUSTER_NOT_FOUND');
  expect(away.log).toContain('another-cluster');

  await schedule(file, '--yes');
  await world.cluster.kubectl(['delete', 'clusterrolebinding', `inlay-prune:${world.namespace}`]);
  const forbidden = await night('forbidden');
  expect([forbidden.outcome, forbidden.log]).toEqual(['Failed', expect.stringContaining('PRUNE_REFUSED')]);
  expect(forbidden.log).toContain('inlay manifests --roles prune');
  expect((await plan()).drop).toHaveLength(6);
}, 600_000);

test('a version that is deployed between plan and sweep survives, and runs', async () => {
  const [late = ''] = (await plan()).drop.at(-1)?.tags ?? [];
  // A rate at which the last image is far away when the first is gone.
  const sweeping = Bun.spawn(world.cluster.command([INLAY, ...args('--yes', '--json', '--rate', '2')]), {
    cwd: ROOT,
    env: { ...process.env, KUBECONFIG: world.cluster.kubeconfig, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const journals = join(env.INLAY_HOME ?? '', 'prune', 'sweeps');
  await until('the first is gone', async () => {
    const names = existsSync(journals) ? readdirSync(journals) : [];
    return names.some((name) => name.endsWith('.log'));
  });
  sweeping.kill('SIGSTOP');
  await apply(world, deployment('late', [late], 0));
  sweeping.kill('SIGCONT');
  const { swept } = JSON.parse(await new Response(sweeping.stdout).text()) as { swept: SweepResult };
  expect(swept.failures).toEqual([]);
  expect(swept.spared).toEqual([
    expect.objectContaining({ reference: `${repository}:${late}`, why: expect.stringContaining('Deployment/late') }),
  ]);
  expect(tagsOf((await plan()).keep)).toEqual(['0.0.0', '0.7.0', '0.8.0', late].sort());
  await runsOnce(world, pod([late]));
}, 600_000);

test('the CronJob sweeps what nothing needs any more, and what it kept still runs', async () => {
  await world.kubectl('delete', 'deployment', 'late', '--wait');
  // Its pods and ReplicaSets end after it.
  await until('nothing names it any more', async () => (await plan()).drop.length > 0);
  await schedule(file, '--yes');
  const { outcome, log } = await night('sweep');
  expect([outcome, log]).toEqual(['Complete', expect.stringContaining('manifests deleted')]);
  const { keep, drop } = await plan();
  expect([tagsOf(keep), drop]).toEqual([['0.0.0', '0.7.0', '0.8.0'], []]);
  await registry.collect();
  await runsOnce(world, pod(['0.0.0', '0.7.0', '0.8.0']));
  // What it has seen, and the record of what it did, outlive it.
  const next = await night('next');
  expect([next.outcome, next.log]).toEqual(['Complete', expect.stringContaining('drops  0')]);
}, 600_000);

test('a hub in the cluster that was given the same file shows what there is to prune', async () => {
  const token = 'a-token-of-this-test-alone';
  await world.kubectl('create', 'secret', 'generic', 'inlay-hub', `--from-literal=token=${token}`);
  const yaml = await world.must([
    ...['hub', '--manifests', '--prune', file, '--image', cliImage, '-n', world.namespace],
    ...['--registry-secret', 'login', '--insecure-registry', registry.host],
  ]);
  await world.cluster.kubectl(['apply', '--server-side', '-f', '-'], yaml);
  await world.kubectl('rollout', 'status', 'deployment/inlay-hub', '--timeout=120s');
  const ip = await world.kubectl('get', 'service', 'inlay-hub', '-o', 'jsonpath={.spec.clusterIP}');
  const ask = `const headers = { authorization: 'Bearer ${token}' };
    console.log(await (await fetch('http://${ip}:8090/api/prune', { headers })).text());`;
  type Preview = Pick<PruneDocument, 'gaps' | 'repositories'>;
  const shown = await until('the plan is shown', async () => {
    const { code, stdout } = await world.cluster.exec([process.execPath, '-e', ask]);
    const preview = code === 0 ? (JSON.parse(stdout) as Partial<Preview>) : {};
    return preview.repositories && preview.repositories.length > 0 && preview;
  });
  expect(shown.gaps).toEqual([]);
  expect(shown.repositories).toEqual([
    expect.objectContaining({ repository, declaredIn: '/etc/inlay/prune.yaml', keeps: 3, drops: 0 }),
  ]);
}, 300_000);
