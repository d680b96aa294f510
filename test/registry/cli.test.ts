// The commands as a person or a script meets them: exit codes, one JSON document, nothing else on stdout.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { join } from 'node:path';
import { OciLayout } from '../../src/image/index.ts';
import { endOf } from '../end-of.ts';
import { FakeRegistry } from './fake-registry.ts';
import { model, World } from './world.ts';

const MAIN = join(import.meta.dir, '..', '..', 'src', 'cli', 'main.ts');

let world: World;
let fake: FakeRegistry;
let layout: OciLayout;
beforeEach(async () => {
  world = new World();
  fake = await FakeRegistry.start();
  layout = await OciLayout.open(join(world.dir, 'home', 'oci'));
});
afterEach(async () => {
  await fake.stop();
  await world.remove();
});

function start(args: readonly string[], env: Record<string, string> = {}) {
  return Bun.spawn([process.execPath, '--no-env-file', MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: world.dir, INLAY_HOME: join(world.dir, 'home'), ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}
async function inlay(...args: string[]) {
  const child = start(args);
  return endOf(child);
}

test('push, pull, copy and inspect print one document each', async () => {
  const name = `${fake.host}/ml/iris:1`;
  const { digest } = await world.image(layout, name, model());
  const pushed = await inlay('push', name, '--tag', 'latest', '--json');
  expect([pushed.code, pushed.stderr]).toEqual([0, '']);
  expect(Object.keys(JSON.parse(pushed.stdout))).toEqual([
    'reference',
    'digest',
    'uploaded',
    'mounted',
    'existing',
    'referrers',
    'sentBytes',
  ]);
  expect(fake.repo('ml/iris').tags.get('latest')).toBe(digest);

  const copied = await inlay('copy', name, `${fake.host}/prod/iris:1`, '--json');
  expect(JSON.parse(copied.stdout).digest).toBe(digest);
  const pulled = await inlay('pull', `${fake.host}/prod/iris:1`, '--json');
  expect(JSON.parse(pulled.stdout)).toMatchObject({ digest, downloaded: [] });
  const remote = await inlay('inspect', `${fake.host}/ml/iris:latest`, '--platform', 'linux/amd64', '--json');
  expect(JSON.parse(remote.stdout)).toMatchObject({
    digest,
    from: 'registry',
    signatures: [],
    platform: 'linux/amd64',
  });
  const local = await inlay('inspect', name, '--platform', 'linux/amd64');
  expect(local.stdout).toContain(digest);
});

test('for people: progress on stderr, the result on stdout', async () => {
  const name = `${fake.host}/ml/iris:1`;
  const { digest } = await world.image(layout, name, model());
  const { stdout, stderr } = await inlay('push', name);
  expect(stdout).toStartWith(`${name}@${digest}\n`);
  expect(stderr).toContain('pushed    sha256:');
});

test('a tag in use ends with 1, a name that is none with 2, a registry that is not there with 3', async () => {
  const name = `${fake.host}/ml/iris:1`;
  await world.image(layout, name, model());
  expect((await inlay('push', name)).code).toBe(0);
  await world.image(layout, name, model());
  const inUse = await inlay('push', name, '--json');
  expect([inUse.code, inUse.stdout, JSON.parse(inUse.stderr).error.code]).toEqual([1, '', 'TAG_EXISTS']);
  expect((await inlay('push', name, '--force')).code).toBe(0);
  expect((await inlay('push', name, 'NO')).code).toBe(2);
  expect((await inlay('push', name, 'iris:1')).stderr).toContain('names no registry');
  expect((await inlay('inspect', 'iris:1')).stderr).toContain('IMAGE_NOT_FOUND');
  expect((await inlay('pull', '127.0.0.1:1/x/y:1')).code).toBe(3);
}, 30_000);

test('Ctrl-C ends a push with 130, and the tag is not set', async () => {
  const name = `${fake.host}/ml/iris:1`;
  await world.image(layout, name, model());
  fake.fail({ kind: 'delay', ms: 8000, method: 'PUT', path: /uploads/, times: 9 });
  const child = start(['push', name]);
  while (!fake.seen.some((r) => r.method === 'PUT')) await Bun.sleep(20);
  const at = performance.now();
  child.kill('SIGINT');
  expect(await child.exited).toBe(130);
  expect(performance.now() - at).toBeLessThan(2000);
  expect(await new Response(child.stderr).text()).toContain('INTERRUPTED');
  expect(fake.repo('ml/iris').tags.size).toBe(0);
});
