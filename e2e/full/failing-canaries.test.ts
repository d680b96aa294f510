// Canaries that must not become stable: each ends by itself, with its cause named, and stable as it was.
// At most two pods at a time, so that it can run beside others.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { NAN_ROW } from '../release/models.ts';
import { type ImageOptions, MIX, World } from '../release/world.ts';

let world: World;
let before: { metadata: { generation: number; uid: string } };

const paced = (canary = '', more = '') =>
  world.config(
    `replicas: {initial: 1, min: 1, max: 1}, canary: {steps: [50], interval: 20s, bake: 0s, onInconclusive: fail${canary}}${more}`,
  );

beforeAll(async () => {
  world = new World('failing');
  await world.makeNamespace();
  const first = await world.deploy(await world.image({ version: '1.0.0' }), '--config', paced());
  expect([first.code, first.stderr.includes('error')]).toEqual([0, false]);
  before = await world.get('deployment', 'iris');
}, 300_000);
afterAll(() => world.close(), 180_000);

interface Case {
  readonly image: ImageOptions;
  /** What the reason says. */
  readonly cause: RegExp;
  /** Rows that are sent besides the good ones. */
  readonly rows?: readonly (readonly number[])[];
  /** More of `canary:`. */
  readonly canary?: string;
  /** The canary gets requests, and so some may fail. */
  readonly serves?: boolean;
  readonly quota?: string;
}

const ten = Array.from({ length: 10 }, () => MIX).flat();
const golden = JSON.stringify({
  tolerance: 1e-5,
  cases: [{ inputs: { x: [[5.1, 3.5, 1.4, 0.2]] }, outputs: { y: [[0.1, 0.2, 0.7]] } }],
});

const CASES: Readonly<Record<string, Case>> = {
  'NaN outputs': {
    image: { version: '2.0.0', kind: 'nan' },
    cause: /NaN .*: fail/,
    rows: [...MIX, NAN_ROW],
    serves: true,
  },
  'label order swapped, and no golden cases': {
    image: { version: '2.1.0', kind: 'swapped' },
    cause: /label shift .*: inconclusive/,
    canary: ', limits: {p99Ratio: 50}',
    serves: true,
  },
  'a model that is much slower': {
    image: { version: '2.2.0', kind: 'slow' },
    cause: /(p99|errors) .*: fail/,
    serves: true,
  },
  '1 % errors': {
    image: { version: '2.3.0', kind: 'nan' },
    // Each of them is an answer with NaN too: whichever is beyond chance first.
    cause: /^(errors|NaN) .* requests.*: fail/m,
    rows: [...ten, NAN_ROW],
    canary: ', limits: {errorRate: 0.003, p99Ratio: 50}',
    serves: true,
  },
  'a crash at start': { image: { version: '2.4.0', kind: 'broken', unchecked: true }, cause: /CRASH .*exit code 1/ },
  'a golden mismatch at start': {
    image: { version: '2.5.0', config: 'golden: golden.json', files: { 'golden.json': golden }, unchecked: true },
    cause: /CRASH .*GOLDEN_MISMATCH/s,
  },
  'more memory than its limit': {
    image: { version: '2.6.0', kind: 'hungry', unchecked: true },
    cause: /OUT_OF_MEMORY/,
  },
  'never ready': {
    image: { version: '2.7.0', kind: 'stuck', unchecked: true, server: '{cpu: 100m, memory: 300Mi}' },
    cause: /NOT_READY .*probe/s,
  },
  'a node without room': {
    image: { version: '2.8.0', server: '{cpu: "7900m", memory: 300Mi}' },
    cause: /UNSCHEDULABLE .*Insufficient cpu/,
  },
  'an image that nodes cannot pull': { image: { version: '2.9.0', registry: '0.0.0.0:5000' }, cause: /IMAGE_PULL/ },
  'a quota that is reached on the way': {
    image: { version: '2.10.0' },
    cause: /QUOTA .*exceeded quota/,
    canary: ', steps: [67]',
    quota: '2',
  },
};

for (const [name, one] of Object.entries(CASES))
  test(name, async () => {
    const image = await world.image(one.image);
    if (one.quota !== undefined) await world.kubectl('create', 'quota', 'small', `--hard=pods=${one.quota}`);
    const load = await world.load(one.rows === undefined ? {} : { rows: one.rows });
    const begun = performance.now();
    const ended = await world.deploy(
      image,
      '--config',
      one.canary?.includes('steps')
        ? world.config(
            `replicas: {initial: 1, min: 1, max: 2}, canary: {steps: [67], interval: 20s, bake: 0s, onInconclusive: fail}`,
          )
        : paced(one.canary),
    );
    const seen = await load.stop();
    if (one.quota !== undefined) await world.kubectl('delete', 'quota', 'small');
    const reason = (await world.release())?.reason ?? '';
    process.stderr.write(
      `${name}: ${((performance.now() - begun) / 1000).toFixed(0)} s, ${seen.requests} requests, ${seen.failed} failed: ${reason.replace(/\n/g, ' | ').slice(0, 300)}\n`,
    );
    expect([ended.code, ended.stderr.includes('RELEASE_FAILED')]).toEqual([1, true]);
    expect(reason).toMatch(one.cause);
    expect(ended.stderr).toMatch(one.cause);
    await expectUntouched();
    if (!one.serves) expect([seen.failed, seen.failures]).toEqual([0, []]);
    expect(seen.requests).toBeGreaterThan(0);
  }, 400_000);

test('a verdict that decides nothing can also wait for somebody, and still is no yes', async () => {
  const image = await world.image({ version: '2.11.0', kind: 'swapped' });
  const config = world.config(
    'replicas: {initial: 1, min: 1, max: 1}, canary: {steps: [50], interval: 20s, bake: 0s, limits: {p99Ratio: 50}, onInconclusive: pause}',
  );
  const load = await world.load();
  const paused = await world.deploy(image, '--config', config);
  await load.stop();
  expect([paused.code, paused.stderr.includes('RELEASE_PAUSED')]).toEqual([1, true]);
  expect(await world.status()).toMatchObject({ phase: 'paused', verdict: { outcome: 'inconclusive' } });
  await world.must(['abort', 'iris', '-n', world.namespace]);
  await expectUntouched();
}, 200_000);

test('a contract that breaks clients is refused before anything is changed', async () => {
  const refused = await world.deploy(await world.image({ version: '3.0.0', kind: 'wide' }), '--config', paced());
  expect([refused.code, refused.stderr.includes('RELEASE_REFUSED')]).toEqual([1, true]);
  expect(refused.stderr).toContain('clients of 1.0.0 would break');
  await expectUntouched();
}, 60_000);

test('a quota without room is seen before anything is changed', async () => {
  await world.kubectl('create', 'quota', 'full', '--hard=pods=1');
  try {
    const image = await world.image({ version: '3.1.0' });
    // The quota's use is counted by a controller.
    let refused = await world.deploy(image, '--config', paced(), '--dry-run');
    for (let i = 0; i < 20 && refused.code === 0; i++)
      refused = await world.deploy(image, '--config', paced(), '--dry-run');
    expect([refused.code, refused.stdout.includes('ResourceQuota full has no room')]).toEqual([1, true]);
    await expectUntouched();
  } finally {
    await world.kubectl('delete', 'quota', 'full');
  }
}, 60_000);

test('an image for another architecture is refused where nodes may be read', async () => {
  const image = await world.image({ version: '3.2.0', platform: 'linux/arm64' });
  const refused = await world.deploy(image, '--config', paced());
  expect([refused.code, refused.stderr.includes('nodes are linux/amd64')]).toEqual([1, true]);
  await expectUntouched();
}, 300_000);

test('a first release that fails leaves nothing but its journal, which says why', async () => {
  const image = await world.image({ version: '1.0.0', service: 'other', kind: 'broken', unchecked: true });
  const config = world.config('replicas: {initial: 1, min: 1, max: 1}', 'other');
  const failed = await world.deploy(image, '--config', config);
  expect([failed.code, failed.stderr.includes('CRASH')]).toEqual([1, true]);
  expect((await world.objects()).filter((name) => name.includes('other'))).toEqual([
    'ConfigMap/inlay-other',
    'Lease/inlay-other',
  ]);
  expect((await world.release('other'))?.reason).toContain('CRASH');
}, 120_000);

async function expectUntouched() {
  const status = await world.status();
  expect(status).toMatchObject({ phase: 'idle', stable: { version: '1.0.0', replicas: { ready: 1, desired: 1 } } });
  expect(status.canary).toBeUndefined();
  const { metadata } = await world.get<typeof before>('deployment', 'iris');
  expect([metadata.uid, metadata.generation]).toEqual([before.metadata.uid, before.metadata.generation]);
  expect((await world.objects()).filter((name) => name.includes('canary'))).toEqual([]);
}
