// Faults of the cluster under a release: its API server restarts, its registry is down, a kubelet stops, another tool holds a field. They
// need the cluster of e2e/cluster for themselves.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { appendFileSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until, World } from '../release/world.ts';

const DIR = process.env.CLUSTER_DIR ?? '/tmp/inlay-cluster';
const own = process.env.INLAY_E2E_REGISTRY === undefined;
const CONFIG =
  'replicas: {initial: 2, min: 2, max: 4}, canary: {steps: [50], interval: 20s, bake: 5s, limits: {p99Ratio: 50}, onInconclusive: pass}';

let world: World;
let config: string;
const images: string[] = [];
beforeAll(async () => {
  world = new World('faults');
  await world.makeNamespace();
  config = world.config(CONFIG);
  for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0']) images.push(await world.image({ version }));
  await world.must(world.deployArgs(images[0] ?? '', '--config', config));
}, 300_000);
afterAll(() => world.close(), 240_000);

const HUB_PORT = 18_190;

/** What the hub says runs in the namespace. */
async function inHub(): Promise<readonly { role: string; model: { version: string } | null }[]> {
  const address = `http://127.0.0.1:${HUB_PORT}/api/now?namespace=${world.namespace}`;
  const { code, stdout } = await world.cluster.exec(['curl', '-fsS', '-m', '10', address]);
  return code === 0 ? JSON.parse(stdout).servers : [];
}

/** Whether a process is gone, or waits only for somebody to take note of its end. */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

/** A part of the cluster that is stopped, and started again as it was. */
class Part {
  readonly #name: string;
  readonly #argv: string[];
  readonly #env: Record<string, string>;

  constructor(name: string) {
    this.#name = name;
    this.#argv = this.#read('cmdline');
    this.#env = Object.fromEntries(
      this.#read('environ').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
  }

  get #pid(): number {
    return Number(readFileSync(join(DIR, 'pids', this.#name), 'utf8'));
  }

  #read(what: 'cmdline' | 'environ'): string[] {
    return readFileSync(`/proc/${this.#pid}/${what}`, 'utf8')
      .split('\0')
      .filter((text) => text !== '');
  }

  /** Stops it for a while without its noticing, as a machine that hangs. */
  pause(): void {
    process.kill(this.#pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.#pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    const pid = this.#pid;
    process.kill(pid, 'SIGTERM');
    // An API server waits a minute for connections that are forwarded through it; whoever restarts it does not.
    for (let i = 0; i < 50 && !hasEnded(pid); i++) await Bun.sleep(100);
    if (!hasEnded(pid)) process.kill(pid, 'SIGKILL');
    await until(`${this.#name} to end`, async () => hasEnded(pid), 60);
  }

  start(): void {
    const log = openSync(join(DIR, 'logs', this.#name), 'a');
    const child = Bun.spawn(world.cluster.command(this.#argv), {
      cwd: '/',
      env: this.#env,
      stdin: 'ignore',
      stdout: log,
      stderr: log,
      detached: true,
    });
    child.unref();
    writeFileSync(join(DIR, 'pids', this.#name), `${child.pid}\n`);
    appendFileSync(join(DIR, 'logs', this.#name), '--- started again\n');
  }
}

test.skipIf(!own)(
  'the API server restarts under a canary and under a promotion: the release goes on',
  async () => {
    const server = new Part('apiserver');
    const load = await world.load();
    // A hub watches meanwhile. An API server that has restarted no longer has the versions that its watches had come to (410).
    const hub = world.start([
      ...['hub', '--port', String(HUB_PORT), '--database', join(world.dir, 'ledger.db')],
      ...['--insecure-registry', world.cluster.registry],
    ]);
    const hubErrors = new Response(hub.stderr).text();
    await until('the hub', async () => (await inHub()).length > 0);
    const child = world.start(world.deployArgs(images[1] ?? '', '--config', config));
    const stderr = new Response(child.stderr).text();
    for (const step of ['canary', 'promote']) {
      await until(
        `${step} to run`,
        async () => (await world.release())?.steps.some(({ kind, status }) => kind === step && status === 'running'),
        120,
      );
      await Bun.sleep(2000);
      await server.stop();
      await Bun.sleep(3000);
      server.start();
      await until(
        'the API server',
        async () => (await world.cluster.tryKubectl(['get', '--raw', '/readyz'])).code === 0,
        90,
      );
    }
    const code = await child.exited;
    const seen = await load.stop();
    process.stderr.write(`API server restarted twice: ${seen.requests} requests, ${seen.failed} failed\n`);
    expect([code, code === 0 ? '' : await stderr]).toEqual([0, '']);
    expect(await world.status()).toMatchObject({ phase: 'idle', stable: { version: '1.1.0' } });
    expect([seen.failed, seen.failures]).toEqual([0, []]);
    await until('the hub to see what is stable now', async () => {
      const rows = await inHub();
      return rows.length === 1 && rows[0]?.role === 'stable' && rows[0].model?.version === '1.1.0';
    });
    hub.kill();
    await hub.exited;
    process.stderr.write(`the hub meanwhile:\n${await hubErrors}`);
  },
  400_000,
);

test('a field that another tool manages is told, and taken over only when asked to', async () => {
  const theirs = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'iris' },
    spec: { sessionAffinity: 'None', ports: [{ name: 'http', port: 8000, targetPort: 9999 }] },
  };
  await world.cluster.kubectl(
    ['-n', world.namespace, 'apply', '--server-side', '--force-conflicts', '--field-manager=other', '-f', '-'],
    JSON.stringify({ ...theirs, metadata: { ...theirs.metadata, namespace: world.namespace } }),
  );
  const refused = await world.deploy(images[2] ?? '', '--config', config);
  expect([refused.code, refused.stderr.includes('conflict')]).toEqual([1, true]);
  expect(refused.stderr).toContain('--force-conflicts');
  const load = await world.load();
  const forced = await world.deploy(images[2] ?? '', '--config', config, '--force-conflicts');
  await load.stop();
  expect(forced.code).toBe(0);
}, 300_000);

test.skipIf(!own)(
  'with the registry down, a node that has the image makes more pods of it',
  async () => {
    const registry = new Part('registry');
    await registry.stop();
    try {
      await world.kubectl('delete', 'hpa', 'iris');
      await world.kubectl('scale', 'deployment/iris', '--replicas=4');
      await world.kubectl('rollout', 'status', 'deployment/iris', '--timeout=90s');
    } finally {
      registry.start();
    }
    await until(
      'the registry',
      async () => (await world.cluster.exec(['curl', '-fsS', `http://${world.cluster.registry}/v2/`])).code === 0,
    );
  },
  200_000,
);

test.skipIf(!own)(
  'a node that does not answer for a minute holds a release up, and does not fail it',
  async () => {
    const kubelet = new Part('kubelet');
    await world.must(world.deployArgs(images[2] ?? '', '--config', config, '--direct'));
    const child = world.start(
      world.deployArgs(images[3] ?? '', '--config', world.config(CONFIG.replace('20s', '90s'))),
    );
    const stderr = new Response(child.stderr).text();
    const load = await world.load();
    await until(
      'a canary that is watched',
      async () => (await world.release())?.steps[0]?.weight?.replicas !== undefined,
      120,
    );
    kubelet.pause();
    await Bun.sleep(60_000);
    kubelet.resume();
    const code = await child.exited;
    const seen = await load.stop();
    const text = await stderr;
    // The only node is not Ready after 40 s, and then the Service has no endpoints: that requests fail is the cluster's doing.
    process.stderr.write(
      `kubelet away for a minute: exit ${code}, ${seen.requests} requests, ${seen.failed} failed\n${text.split('\n').slice(-8).join('\n')}\n`,
    );
    expect([code, code === 0 ? '' : text]).toEqual([0, '']);
    expect((await world.status()).stable?.version).toBe('1.3.0');
  },
  500_000,
);
