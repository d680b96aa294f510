// The CLI killed whenever the journal has moved on: the next one goes on, to the same end, and nothing is left over.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { STABLE_ALONE, until, World } from '../release/world.ts';

const CONFIG =
  'replicas: {initial: 1, min: 1, max: 1}, canary: {steps: [50], interval: 4s, bake: 4s, limits: {p99Ratio: 50}, onInconclusive: pass}';

let world: World;
let config: string;
const images: string[] = [];
beforeAll(async () => {
  world = new World('killed');
  await world.makeNamespace();
  config = world.config(CONFIG);
  const server = '{cpu: 250m, memory: 300Mi}';
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) images.push(await world.image({ version, server }));
}, 300_000);
afterAll(() => world.close(), 180_000);

/** Where the last release is, by what the journal says of its steps. */
async function place(): Promise<string> {
  const release = await world.release();
  if (!release) return 'nothing yet';
  const steps = release.steps.filter(({ status }) => status !== 'pending' && status !== 'skipped');
  return `${release.number} ${release.state}: ${steps.map(({ name, status }) => `${name} ${status}`).join(', ')}`;
}

/** Runs a command until it ends by itself, and kills it whenever the journal has moved on. @returns where it was killed */
async function killedAtEachStep(args: string[]): Promise<{ killedAt: string[]; code: number; stderr: string }> {
  const killedAt: string[] = [];
  let seen = await place();
  for (;;) {
    const child = world.start(args);
    const stderr = new Response(child.stderr).text();
    const now = await until(
      'the journal to move on',
      async () => {
        if (child.exitCode !== null) return 'ended';
        const here = await place();
        return here !== seen && here;
      },
      240,
    );
    if (now === 'ended' || now.includes(' ended: '))
      return { killedAt, code: await child.exited, stderr: await stderr };
    child.kill('SIGKILL');
    await child.exited;
    // It may have written once more before it died.
    await Bun.sleep(500);
    seen = await place();
    killedAt.push(seen);
  }
}

test('a first release', async () => {
  const { killedAt, code, stderr } = await killedAtEachStep(world.deployArgs(images[0] ?? '', '--config', config));
  process.stderr.write(`killed at\n  ${killedAt.join('\n  ')}\n`);
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  expect(killedAt.length).toBeGreaterThan(0);
  expect(await world.status()).toMatchObject({ phase: 'idle', stable: { version: '1.0.0' } });
  expect(await world.objects()).toEqual(STABLE_ALONE);
}, 600_000);

test('a canary: every step of the journal', async () => {
  const load = await world.load({ rate: 2 });
  const { killedAt, code, stderr } = await killedAtEachStep(world.deployArgs(images[1] ?? '', '--config', config));
  const seen = await load.stop();
  process.stderr.write(`killed at\n  ${killedAt.join('\n  ')}\n${seen.requests} requests, ${seen.failed} failed\n`);
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  for (const step of ['canary 50 %', 'promote', 'retire canary', 'bake'])
    expect(killedAt.some((place) => place.includes(`${step} running`) || place.includes(`${step} 4 s running`))).toBe(
      true,
    );
  expect(await world.status()).toMatchObject({ phase: 'idle', stable: { version: '1.1.0' }, drift: [] });
  expect(await world.objects()).toEqual(STABLE_ALONE);
  expect([seen.failed, seen.failures]).toEqual([0, []]);
}, 900_000);

test('a release that is backed out from its promotion on: every step of that too', async () => {
  const load = await world.load({ rate: 2 });
  const child = world.start(world.deployArgs(images[2] ?? '', '--config', config));
  await until('its promotion', async () => (await place()).includes('promote running'), 120);
  child.kill('SIGKILL');
  await child.exited;
  const { killedAt, code, stderr } = await killedAtEachStep(['abort', 'iris', '-n', world.namespace]);
  const seen = await load.stop();
  process.stderr.write(`killed at\n  ${killedAt.join('\n  ')}\n${seen.requests} requests, ${seen.failed} failed\n`);
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  for (const step of ['restore stable', 'remove canary'])
    expect(killedAt.some((place) => place.includes(`${step} running`))).toBe(true);
  expect(await world.status()).toMatchObject({ phase: 'idle', stable: { version: '1.1.0' }, drift: [] });
  expect((await world.release())?.outcome).toBe('aborted');
  expect(await world.objects()).toEqual(STABLE_ALONE);
  expect([seen.failed, seen.failures]).toEqual([0, []]);
}, 900_000);
