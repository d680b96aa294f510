// The objects of a service before those who judge them: kube-score, a real API server, the Gateway API's CRDs, a real kubelet.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, cluster as theCluster } from './cluster.ts';
import { gatewayCrds, kubeScore } from './go-programs.ts';
import { must, ROOT, run } from './inlay.ts';

const INLAY = join(ROOT, 'bin', 'inlay');
const NAMESPACE = 'manifests-test';
const CLUSTER_ROLES = ['inlay-inventory', 'inlay-prune', 'inlay-nodes'];
const CRD = 'gateway.networking.k8s.io_httproutes.yaml';

const FULL = `
  ingress: {host: iris.example.com, className: nginx, tlsSecret: iris-tls}
  gateway: {parents: [{name: edge, namespace: web, sectionName: https}], hostnames: [iris.example.com, "*.iris.example.com"]}
  networkPolicy: {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}
  imagePullSecrets: [regcred]
  env: {LOG_FORMAT: JSON, ACCESS_LOG: true}
  tolerations: [{key: dedicated, operator: Exists, effect: NoSchedule}]
  labels: {example.com/team: flowers}
`;

let cluster: Cluster;
let dir: string;
let image: string;

beforeAll(async () => {
  cluster = theCluster();
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-manifests-'));
  const { registry } = cluster;
  project('iris', `image: ${registry}/manifests-test/iris\n`);
  await must([INLAY, 'build', join(dir, 'iris')]);
  const built = `${registry}/manifests-test/iris:0.0.1`;
  // A cluster that stays up may have the image of another inlay.
  const pushed = await cluster.exec([INLAY, 'push', built, '--force', '--insecure-registry', registry, '--json']);
  expect([pushed.code, pushed.stderr]).toEqual([0, '']);
  image = `${registry}/manifests-test/iris:0.0.1@${JSON.parse(pushed.stdout).digest}`;
  await clean();
});
afterAll(async () => {
  await clean();
  rmSync(dir, { recursive: true, force: true });
});

async function clean() {
  await cluster.tryKubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait']);
  await cluster.tryKubectl(['delete', 'clusterrole', '--ignore-not-found', ...CLUSTER_ROLES]);
  await cluster.tryKubectl(['delete', 'crd', 'httproutes.gateway.networking.k8s.io', '--ignore-not-found', '--wait']);
}

/** A copy of the example, with lines added to the end of inlay.yaml: those of `deploy:` first. */
function project(name: string, lines: string) {
  cpSync(join(ROOT, 'examples', 'iris'), join(dir, name), { recursive: true });
  const file = join(dir, name, 'inlay.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}\n${lines}`);
}

function manifests(name: string, ...args: string[]): Promise<string> {
  return must([INLAY, 'manifests', join(dir, name), '--image', image, '-n', NAMESPACE, ...args]);
}

const apply = (yaml: string, ...args: string[]) =>
  cluster.tryKubectl(['apply', '--server-side', '--field-manager=inlay', '-f', '-', ...args], yaml);

async function applied(yaml: string, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await apply(yaml, ...args);
  // A warning is what Pod Security or a deprecated version would say.
  expect([code, stderr]).toEqual([0, '']);
  return stdout.trim().split('\n');
}

async function read<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cluster.tryKubectl(['-n', NAMESPACE, 'get', ...args, '-o', 'json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

test('kube-score finds nothing critical but what docs/manifests.md explains', async () => {
  project('full', FULL);
  const program = await kubeScore();
  for (const name of ['iris', 'full']) {
    const file = join(dir, `${name}.yaml`);
    writeFileSync(file, await manifests(name));
    const scored = await run([program, 'score', '--output-format', 'ci', file]);
    expect(scored.stdout.split('\n').filter((line) => /^\[(CRITICAL|WARNING)\]/.test(line))).toEqual([]);
    const strict = await run([
      program,
      'score',
      '--output-format',
      'json',
      '--disable-ignore-checks-annotations',
      file,
    ]);
    const objects = JSON.parse(strict.stdout) as {
      checks: { check: { id: string }; grade: number; skipped: boolean }[];
    }[];
    const critical = objects.flatMap(({ checks }) => checks.filter((one) => !one.skipped && one.grade === 1));
    const docs = readFileSync(join(ROOT, 'docs', 'manifests.md'), 'utf8');
    expect(critical.length).toBeGreaterThan(0);
    expect(critical.map(({ check }) => check.id).filter((id) => !docs.includes(`\`${id}\``))).toEqual([]);
  }
});

test('a restricted namespace accepts every object, first in a dry run, then really, and again without a change', async () => {
  const yaml = await manifests('iris');
  const [namespace = ''] = yaml.split('---\n');
  await applied(namespace);
  expect(await applied(yaml, '--dry-run=server')).toHaveLength(7);
  await applied(yaml);
  type Object_ = { metadata: { generation: number; resourceVersion: string } };
  // The autoscaler has its say first: it brings the Deployment to its least number of pods.
  const settled = async () => (await read<{ spec: { replicas: number } }>('deployment', 'iris')).spec.replicas >= 3;
  for (let tries = 0; !(await settled()) && tries < 60; tries++) await Bun.sleep(1000);
  const before = await read<Object_>('deployment', 'iris');
  await applied(yaml);
  expect((await read<Object_>('deployment', 'iris')).metadata.generation).toBe(before.metadata.generation);
});

test('a folder is what kubectl and kustomize take', async () => {
  await manifests('iris', '--output', join(dir, 'k8s'));
  const { code, stdout, stderr } = await cluster.tryKubectl([
    'apply',
    '--server-side',
    '--field-manager=inlay',
    '--dry-run=server',
    '-k',
    join(dir, 'k8s'),
  ]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.trim().split('\n')).toHaveLength(readdirSync(join(dir, 'k8s')).length - 1);
  const overlay = join(dir, 'overlay');
  await must(['mkdir', overlay]);
  writeFileSync(
    join(overlay, 'kustomization.yaml'),
    `resources: [../k8s]\nimages: [{name: ${cluster.registry}/manifests-test/iris, newName: mirror.example.com/iris}]\n`,
  );
  const built = await cluster.tryKubectl(['kustomize', overlay]);
  expect([built.code, built.stderr]).toEqual([0, '']);
  expect(built.stdout).toContain(`image: mirror.example.com/iris:0.0.1@${image.split('@')[1]}`);
});

test('the autoscaler’s replicas survive another apply', async () => {
  type Deployment = { spec: { replicas: number }; metadata: { managedFields?: unknown } };
  const scaled = await cluster.tryKubectl(['-n', NAMESPACE, 'scale', 'deployment', 'iris', '--replicas=4']);
  expect(scaled.code).toBe(0);
  await applied(await manifests('iris'));
  expect((await read<Deployment>('deployment', 'iris')).spec.replicas).toBe(4);
});

test('an HTTPRoute and the changes of its weights are what the Gateway API’s CRDs take', async () => {
  await must(['test', '-e', join(await gatewayCrds(), CRD)]);
  const crd = await cluster.tryKubectl(['apply', '--server-side', '-f', join(await gatewayCrds(), CRD)]);
  expect(crd.code).toBe(0);
  const ready = ['wait', '--for=condition=Established', 'crd/httproutes.gateway.networking.k8s.io', '--timeout=60s'];
  expect((await cluster.tryKubectl(ready)).code).toBe(0);
  const yaml = await manifests('full', '--skip-namespace');
  // Discovery of a new kind may take kubectl a moment.
  for (let i = 0; i < 50 && (await apply(yaml, '--dry-run=server')).code !== 0; i++) await Bun.sleep(200);
  expect(await applied(yaml, '--dry-run=server')).toHaveLength(10);
  await applied(yaml);
  type Route = { spec: { rules: { backendRefs: { name: string; weight: number }[] }[] } };
  const weights = async () =>
    Object.fromEntries(
      (await read<Route>('httproute', 'iris')).spec.rules[0]?.backendRefs.map((b) => [b.name, b.weight]) ?? [],
    );
  expect(await weights()).toEqual({ 'iris-stable': 100, 'iris-canary': 0 });
  const route = yaml.split('---\n').find((one) => one.includes('kind: HTTPRoute')) ?? '';
  for (const canary of [1, 20, 50, 100]) {
    await applied(
      route.replace(/weight: (\d+)/g, (_, before) => `weight: ${before === '100' ? 100 - canary : canary}`),
    );
    expect(await weights()).toEqual({ 'iris-stable': 100 - canary, 'iris-canary': canary });
  }
  // The validation is real: what it does not take is refused.
  expect((await apply(route.replace('weight: 100', 'weight: -1'))).code).not.toBe(0);
  expect((await apply(route.replace('type: PathPrefix', 'type: Prefix'))).code).not.toBe(0);
});

test('whoever has the Role of deploy alone can apply all of it, and read no Secret', async () => {
  const roles = await must([INLAY, 'manifests', '--roles', '-n', NAMESPACE]);
  expect((await applied(roles)).length).toBeGreaterThan(10);
  const bind = ['create', 'rolebinding', 'ci', '--role=inlay-deploy', `--serviceaccount=${NAMESPACE}:ci`];
  expect((await cluster.tryKubectl(['-n', NAMESPACE, ...bind])).code).toBe(0);
  const as = `--as=system:serviceaccount:${NAMESPACE}:ci`;
  const yaml = await manifests('full', '--skip-namespace');
  expect(await applied(yaml, as, '--dry-run=server', '--force-conflicts')).toHaveLength(10);
  expect((await apply(await manifests('full'), as, '--dry-run=server')).code).not.toBe(0);
  for (const more of ['get secrets', 'create pods/exec', 'create rolebindings', 'delete pods', 'get nodes']) {
    const { stdout } = await cluster.tryKubectl(['-n', NAMESPACE, 'auth', 'can-i', ...more.split(' '), as]);
    expect([more, stdout.trim()]).toEqual([more, 'no']);
  }
});

test('a server that hangs is restarted', async () => {
  await cluster.tryKubectl(['-n', NAMESPACE, 'delete', 'hpa', 'iris']);
  await cluster.tryKubectl(['-n', NAMESPACE, 'scale', 'deployment', 'iris', '--replicas=1']);
  await applied((await manifests('iris')).split('---\n').find((one) => one.includes('kind: Deployment')) ?? '');
  const rolled = await cluster.tryKubectl(['-n', NAMESPACE, 'rollout', 'status', 'deployment/iris', '--timeout=120s']);
  expect([rolled.code, rolled.stderr]).toEqual([0, '']);
  type Pods = {
    items: {
      metadata: { deletionTimestamp?: string };
      status: { containerStatuses: { containerID: string; restartCount: number; ready: boolean }[] };
    }[];
  };
  const container = async () => {
    const { items } = await read<Pods>('pods');
    const alive = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return alive[0]?.status.containerStatuses[0];
  };
  const id = (await container())?.containerID.split('://')[1] ?? '';
  const pids = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id);
    } catch {
      return false; // It ended meanwhile.
    }
  });
  // On another machine's node the process cannot be stopped from here.
  if (process.env.INLAY_E2E_REGISTRY !== undefined && pids.length === 0) return;
  expect(pids.length).toBeGreaterThan(0);
  const started = performance.now();
  for (const pid of pids) process.kill(Number(pid), 'SIGSTOP');
  let now = await container();
  while (now?.restartCount !== 1 && performance.now() - started < 120_000) {
    await Bun.sleep(200);
    now = await container();
  }
  process.stderr.write(`a hung server was restarted after ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  expect(now?.restartCount).toBe(1);
});
