// What doctor tells of machines that lack one thing or another, through the command.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { endOf } from '../end-of.ts';
import { FakeRegistry, type RegistryTraits } from '../registry/fake-registry.ts';
import { World } from '../registry/world.ts';

const MAIN = join(import.meta.dir, '..', '..', 'src', 'cli', 'main.ts');

let world: World;
let fake: FakeRegistry;
beforeEach(() => {
  world = new World();
});
afterEach(async () => {
  await fake?.stop();
  await world.remove();
});

async function registry(traits: RegistryTraits): Promise<void> {
  fake = await FakeRegistry.start(traits);
}

interface Check {
  name: string;
  state: string;
  detail: string;
  hint?: string;
}

/** @param env a machine with nothing on PATH, unless said */
async function doctor(args: readonly string[], env: Record<string, string> = {}) {
  mkdirSync(join(world.dir, 'empty'), { recursive: true });
  const child = Bun.spawn([process.execPath, '--no-env-file', MAIN, 'doctor', ...args, '--json'], {
    cwd: world.dir,
    env: { PATH: join(world.dir, 'empty'), HOME: world.dir, INLAY_HOME: join(world.dir, 'home'), ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const { stdout, stderr, code } = await endOf(child);
  const { ok, checks } = (stdout === '' ? { checks: [] } : JSON.parse(stdout)) as { ok?: boolean; checks: Check[] };
  const stateOf = (name: string) => checks.find((check) => check.name === name)?.state;
  return { code, stdout, stderr, ok, checks, stateOf };
}

function logins(auths: Record<string, string>, more: object = {}): void {
  mkdirSync(join(world.dir, '.docker'), { recursive: true });
  const entries = Object.entries(auths).map(([host, login]) => [host, { auth: Buffer.from(login).toString('base64') }]);
  writeFileSync(
    join(world.dir, '.docker', 'config.json'),
    JSON.stringify({ auths: Object.fromEntries(entries), ...more }),
  );
}

test('a machine with nothing: each thing with what to do, and exit 0 as a report has it', async () => {
  const { code, ok, checks, stateOf } = await doctor([]);
  expect([code, ok]).toEqual([0, false]);
  expect(stateOf('base')).toBe('warning');
  expect(stateOf('runtime')).toBe('missing');
  expect(stateOf('container')).toBe(process.platform === 'linux' ? 'warning' : 'missing');
  expect(stateOf('login')).toBe('warning');
  expect(stateOf('signing')).toBe('warning');
  expect(stateOf('cluster')).toBe('missing');
  expect(stateOf('bun')).toBe('ok');
  expect(stateOf('store')).not.toBeUndefined();
  for (const { state, hint } of checks) expect(state === 'ok' || (hint ?? '') !== '').toBe(true);
});

test('--exit-code answers with 1 for what --for asks, and only that is looked at', async () => {
  const build = await doctor(['--for', 'build', '--exit-code']);
  expect([build.code, build.stateOf('container'), build.stateOf('runtime')]).toEqual([1, undefined, 'missing']);
  const sign = await doctor(['--for', 'sign', '--exit-code'], { COSIGN_PASSWORD: 'a secret' });
  expect([sign.code, sign.ok, sign.checks.length]).toEqual([0, true, 1]);
  expect(sign.stdout).not.toContain('a secret');
  expect((await doctor(['--for', 'everything'])).code).toBe(2);
});

test('npm without its registry is told; what the store has needs no npm', async () => {
  const bin = join(world.dir, 'bin');
  mkdirSync(bin);
  const npm = Bun.which('npm');
  const node = Bun.which('node');
  if (npm === null || node === null) throw new Error('npm is needed');
  symlinkSync(npm, join(bin, 'npm'));
  const env = { PATH: `${bin}:${dirname(node)}`, npm_config_registry: 'http://127.0.0.1:1/' };
  const away = await doctor(['--for', 'build'], env);
  expect(away.checks.find(({ name }) => name === 'runtime')).toMatchObject({
    state: 'missing',
    detail: expect.stringContaining('npm cannot ask'),
  });
}, 60_000);

test.each<[string, RegistryTraits]>([
  ['basic', { auth: 'basic', username: 'u', password: 'right' }],
  ['a token server', { auth: 'bearer', username: 'u', password: 'right' }],
])('a login by %s that works and one that does not', async (_, traits) => {
  await registry(traits);
  logins({ [fake.host]: 'u:right' });
  expect((await doctor(['--for', 'push'])).stateOf(`login ${fake.host}`)).toBe('ok');
  logins({ [fake.host]: 'u:wrong-one' });
  const wrong = await doctor(['--for', 'push', '--exit-code']);
  expect([wrong.code, wrong.stateOf(`login ${fake.host}`)]).toEqual([1, 'missing']);
  expect(wrong.stdout).not.toContain('wrong-one');
});

test('a login for a namespace alone is tried there', async () => {
  await registry({ auth: 'bearer', username: 'u', password: 'right' });
  logins({ [`${fake.host}/team`]: 'u:right' });
  const { stateOf } = await doctor(['--for', 'push']);
  expect(stateOf(`login ${fake.host}/team`)).toBe('ok');
});

test('the registry that the project names is asked, without a login too; one that is away is told', async () => {
  await registry({});
  const dir = join(world.dir, 'project');
  mkdirSync(dir);
  const yaml = (host: string) =>
    writeFileSync(join(dir, 'inlay.yaml'), `name: a\nversion: "1"\nmodel: m.onnx\nimage: ${host}/ml/a\n`);
  yaml(fake.host);
  const { checks } = await doctor([dir, '--for', 'push']);
  expect(checks).toMatchObject([
    { name: `login ${fake.host}`, state: 'ok', detail: expect.stringContaining('without a login') },
  ]);
  yaml('127.0.0.1:1');
  expect((await doctor([dir, '--for', 'push'])).stateOf('login 127.0.0.1:1')).toBe('missing');
});

test('a login file that is damaged, and a kubeconfig that is, are told by themselves', async () => {
  mkdirSync(join(world.dir, '.docker'));
  writeFileSync(join(world.dir, '.docker', 'config.json'), '{"auths": ');
  expect((await doctor(['--for', 'push'])).checks).toMatchObject([{ name: 'login', state: 'missing' }]);
  const kubeconfig = join(world.dir, 'kubeconfig');
  writeFileSync(kubeconfig, 'clusters: [');
  expect((await doctor(['--for', 'deploy'], { KUBECONFIG: kubeconfig })).stateOf('cluster')).toBe('missing');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'x',
    }),
  );
  const away = await doctor(['--for', 'deploy', '--exit-code'], { KUBECONFIG: kubeconfig });
  expect([away.code, away.stateOf('cluster')]).toEqual([1, 'missing']);
}, 30_000);

test('a folder that cannot be written to is told', async () => {
  writeFileSync(join(world.dir, 'file'), '');
  const { checks } = await doctor(['--for', 'run'], { INLAY_HOME: join(world.dir, 'file', 'home') });
  expect(checks.find(({ name }) => name === 'store')).toMatchObject({
    state: 'missing',
    hint: expect.stringContaining('INLAY_HOME'),
  });
});
