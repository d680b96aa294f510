// Every fault against every piece of work: once, it is survived; for ever, it ends in an error that names the host, the
// repository, the step and what to do, and that holds no secret.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { copyImage, pullImage, pushImage } from '../../src/registry/index.ts';
import { FakeRegistry, type Fault } from './fake-registry.ts';
import { model, ref, World } from './world.ts';

const PASSWORD = 's3cret-passw0rd';
const env = { INLAY_REGISTRY_USERNAME: 'user', INLAY_REGISTRY_PASSWORD: PASSWORD };
const traits = { auth: 'bearer', password: PASSWORD } as const;

let world: World;
let fakes: FakeRegistry[];
beforeEach(async () => {
  world = new World();
  fakes = [await FakeRegistry.start(traits), await FakeRegistry.start(traits)];
});
afterEach(async () => {
  await Promise.all(fakes.map((fake) => fake.stop()));
  await world.remove();
});

const uploads = { method: 'PUT', path: /uploads/ } as const;
const blobs = { method: 'GET', path: /blobs\/sha256/ } as const;
const echo = `{"errors":[{"code":"DENIED","message":"Basic ${btoa(`user:${PASSWORD}`)} and ${PASSWORD} at https://s/x?sig=${PASSWORD}"}]}`;

const FAULTS: readonly (readonly [string, 'push' | 'pull' | 'copy', Fault])[] = [
  ...(['push', 'pull', 'copy'] as const).flatMap((work): (readonly [string, typeof work, Fault])[] => [
    ['429 with Retry-After', work, { kind: 'status', status: 429, headers: { 'retry-after': '2' }, body: echo }],
    ['500', work, { kind: 'status', status: 500, body: echo }],
    ['503', work, { kind: 'status', status: 503 }],
    ['an ill token server', work, { kind: 'status', status: 502, path: /token/, body: echo }],
  ]),
  ...(['push', 'copy'] as const).flatMap((work): (readonly [string, typeof work, Fault])[] => [
    ['a body that is dropped', work, { kind: 'drop-request', ...uploads, afterBytes: 10 }],
    ['a body that is dropped and forgotten', work, { kind: 'drop-request', ...uploads, afterBytes: 10, forget: true }],
    ['a login that runs out in a body', work, { kind: 'expire', ...uploads, afterBytes: 10 }],
    ['a forgotten upload', work, { kind: 'forget-upload', ...uploads }],
    ['bent bytes', work, { kind: 'corrupt', ...uploads }],
    ['a manifest that cannot be stored', work, { kind: 'status', status: 500, method: 'PUT', path: /manifests/ }],
  ]),
  ['a lost answer', 'push', { kind: 'lose-answer', ...uploads }],
  ['a lost answer to a manifest', 'push', { kind: 'lose-answer', method: 'PUT', path: /manifests/ }],
  ['an answer that is dropped', 'pull', { kind: 'drop-answer', ...blobs, afterBytes: 10 }],
  ['an answer that ends early', 'pull', { kind: 'truncate', ...blobs, afterBytes: 10 }],
  ['damaged bytes', 'pull', { kind: 'corrupt', ...blobs }],
];

/** Faults for ever that still may end well: what was asked for has been done, or gets on a little each time. */
const HARMLESS = /a lost answer|a body that is dropped$/;

test.each(FAULTS)('%s in a %s', async (name, work, fault) => {
  const [one, two] = fakes as [FakeRegistry, FakeRegistry];
  const registry = world.registry({ env, concurrency: 2, retry: { tries: 4 } });
  const both = world.registry({ env: { ...env, INLAY_REGISTRY_HOST: one.host }, concurrency: 2, retry: { tries: 4 } });
  const layout = await world.layout();
  const { digest } = await world.image(layout, 'x:1', model());
  const source = ref(`${one.host}/ml/iris:1`);
  await pushImage({ registry, layout, source: 'x:1', to: source });
  // In a copy the login from the environment is for the target; the source here wants none.
  const target = work === 'copy' ? two : one;
  const run = async (tag: string) => {
    if (work === 'push')
      return (await pushImage({ registry, layout, source: 'x:1', to: ref(`${one.host}/ml/new${tag}:${tag}`) })).digest;
    if (work === 'pull')
      return (await pullImage({ registry, layout: await world.layout(), from: source, name: 'y:1' })).digest;
    const open = await FakeRegistry.start();
    fakes.push(open);
    await pushImage({ registry: both, layout, source: 'x:1', to: ref(`${open.host}/ml/iris:1`) });
    return (
      await copyImage({ registry, from: ref(`${open.host}/ml/iris:1`), to: ref(`${two.host}/ml/new${tag}:${tag}`) })
    ).digest;
  };
  target.fail(fault);
  expect(await run('once')).toBe(digest);

  target.fail({ ...fault, times: Number.POSITIVE_INFINITY });
  const error = await run('ever').catch((e) => e);
  if (HARMLESS.test(name) && error === digest) return;
  expect(error.code).toMatch(/^(REGISTRY_[A-Z_]+|INTEGRITY_MISMATCH)$/);
  expect(error.message).toMatch(/^[a-z].+ failed at /);
  expect(error.message).toContain(`${target.host}/ml/${work === 'pull' ? 'iris' : 'newever'}`);
  expect(error.hint.length).toBeGreaterThan(20);
  const told = [error.message, error.hint, String(error.cause), error.stack, Bun.inspect(error)].join('\n');
  for (const secret of [PASSWORD, btoa(`user:${PASSWORD}`)]) expect(told).not.toContain(secret);
  if (work !== 'pull') expect(target.repo('ml/newever').tags.size).toBe(0);
});

test('an upload that hardly gets anywhere ends', async () => {
  const [one] = fakes as [FakeRegistry];
  const layout = await world.layout();
  await world.image(layout, 'x:1', model());
  for (const method of ['PUT', 'PATCH'])
    one.fail({ kind: 'drop-request', method, path: /uploads/, afterBytes: 5, times: Number.POSITIVE_INFINITY });
  const to = ref(`${one.host}/ml/iris:1`);
  const error = await pushImage({ registry: world.registry({ env }), layout, source: 'x:1', to }).catch((e) => e);
  expect(error.code).toBe('REGISTRY_UNREACHABLE');
  expect(world.slept.length).toBeLessThan(40);
});

test('a login that may push but not list pushes', async () => {
  const [one] = fakes as [FakeRegistry];
  const layout = await world.layout();
  const { digest } = await world.image(layout, 'x:1', model());
  one.fail({ kind: 'status', status: 403, path: /tags\/list/, times: 9 });
  const to = ref(`${one.host}/ml/iris:1`);
  expect((await pushImage({ registry: world.registry({ env }), layout, source: 'x:1', to })).digest).toBe(digest);
});
