// A story played in the real cluster: a release, a canary, its promotion, a rollback, an edit by hand, a moved tag, servers that
// inlay did not build, and a time in which no hub watched. Afterwards inventory, ledger and dashboard tell exactly that story.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Inventory, PastInventory, ServerRow } from '../../src/inventory/index.ts';
import { type Browser, startBrowser } from '../browser.ts';
import { until } from '../release/world.ts';
import { type StoryHub, StoryWorld } from '../story-world.ts';

/** For people to look at; outside the tree. */
const PICTURES = join(homedir(), '.cache', 'inlay-e2e', 'story');

let world: StoryWorld;
let browser: Browser;
const images = new Map<string, string>();
/** When each chapter had been seen. */
const times = new Map<string, string>();

const imageOf = (version: string) => images.get(version) ?? '';

async function build(version: string, accuracy: number): Promise<void> {
  const reference = await world.image({
    version,
    server: '{cpu: 200m, memory: 200Mi}',
    config: 'owner: flowers-team\nmetrics: metrics.json\n',
    files: { 'metrics.json': JSON.stringify({ accuracy, rows: 150 }) },
  });
  images.set(version, reference);
}

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  world = await StoryWorld.begin();
  for (const [version, accuracy] of [
    ['1.0.0', 0.94],
    ['1.1.0', 0.96],
    ['1.2.0', 0.97],
    ['1.0.0-hotfix', 0.95],
  ] as const)
    await build(version, accuracy);
  for (const [name, packages] of Object.entries({
    churn: { 'scikit-learn': '0.22.2', Flask: '1.1.1' },
    fraud: { xgboost: '0.90', numpy: '1.18.1' },
  }))
    images.set(name, await world.pythonImage(name, packages));
  browser = await startBrowser((command) => world.cluster.command(command));
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
}, 300_000);

async function chapter(name: string, act: () => Promise<unknown>, seen: () => Promise<unknown>): Promise<void> {
  // A cluster tells times in whole seconds: what begins in the second of the chapter before would be taken to be of that.
  await Bun.sleep(1100);
  await act();
  await seen();
  times.set(name, new Date().toISOString());
}

const as = (actor: string) => ({ INLAY_ACTOR: actor });
const set = (...more: string[]) => ['-n', world.namespace, ...more];

async function deploy(version: string, actor: string, ...more: string[]): Promise<void> {
  const config = world.config(
    'replicas: {initial: 1, min: 1, max: 2}, canary: {steps: [50], interval: 5s, bake: 0s, onInconclusive: pause}',
  );
  await world.inlay(world.deployArgs(imageOf(version), '--config', config, ...more), as(actor));
}

async function python(name: string): Promise<void> {
  const on = ['-n', world.others];
  await world.cluster.kubectl(['create', 'deployment', name, ...on, `--image=${imageOf(name)}`]);
  await world.cluster.kubectl(['set', 'env', `deployment/${name}`, ...on, `MODEL_PATH=/models/${name}.pkl`]);
}

const rowsOf = async (hub: StoryHub, query: string) =>
  (await world.api<{ servers: ServerRow[] }>(hub, `/api/now?${query}`)).servers;
const canaryWaits = () =>
  world.everyHub('a canary that waits', async (hub) => {
    const [row] = await rowsOf(hub, `namespace=${world.namespace}&role=canary`);
    return row?.release?.state === 'paused';
  });
const released = (number: number) =>
  world.everyHub(`release ${number} ended`, async (hub) =>
    (await world.timeline(hub)).releases.some((one) => one.number === number && one.state === 'ended'),
  );
const stable = (version: string, ...drift: string[]) =>
  world.observed(
    `stable ${version} ${drift}`,
    (one) => one.role === 'stable' && one.version === version && String(one.drift) === String(drift),
  );

test('the story', async () => {
  times.set('before', new Date(Date.now() - 60_000).toISOString());
  await world.startHubs();
  await chapter(
    'deployed',
    () => Promise.all([deploy('1.0.0', 'ada'), python('churn'), python('fraud')]),
    async () => {
      await stable('1.0.0');
      await world.everyHub('what inlay did not build', async (hub) => {
        const rows = await rowsOf(hub, `namespace=${world.others}`);
        return rows.length === 2 && rows.every(({ replicas, image }) => replicas.ready === 1 && image.index !== null);
      });
    },
  );
  await chapter('canary', () => deploy('1.1.0', 'grace'), canaryWaits);
  await chapter(
    'promoted',
    () => world.must(['promote', 'iris', ...set('--reason', 'its metrics are better')], as('ada')),
    async () => {
      await stable('1.1.0');
      await released(2);
    },
  );
  await chapter(
    'rolled back',
    () => world.must(['rollback', 'iris', ...set('--reason', 'too many are virginica')], as('grace')),
    async () => {
      await stable('1.0.0');
      await released(3);
    },
  );
  const { releases } = await world.timeline(world.hubs[0] as StoryHub);
  const [old = '', newer = ''] = releases.map(({ reference }) => reference);
  const image = (reference: string) => world.kubectl('set', 'image', 'deployment/iris', `server=${reference}`);
  await chapter(
    'edited',
    () => image(newer),
    () => stable('1.1.0', 'differs-from-applied'),
  );
  await chapter(
    'repaired',
    () => image(old),
    () => stable('1.0.0'),
  );
  await chapter(
    'tag moved',
    () =>
      world.must([
        'copy',
        imageOf('1.0.0-hotfix'),
        imageOf('1.0.0'),
        '--force',
        '--insecure-registry',
        world.cluster.registry,
      ]),
    () => stable('1.0.0', 'tag-moved'),
  );
  // Every five seconds a hub writes that it still watches.
  await Bun.sleep(6000);
  await world.killHubs();
  await chapter(
    'unwatched',
    async () => {
      // Whoever edited by hand still has the field.
      await deploy('1.2.0', 'nightly', '--force-conflicts');
      await until('a canary that waits', async () => (await world.status()).phase === 'paused');
      await world.must(['promote', 'iris', '--force-conflicts', ...set('--reason', 'as every night')], as('nightly'));
      await world.cluster.kubectl(['delete', 'deployment', 'fraud', '-n', world.others]);
    },
    () => until('1.2.0 is stable', async () => (await world.status()).stable?.version === '1.2.0'),
  );
  await chapter(
    'watched again',
    async () => {
      await Bun.sleep(2000);
      await world.startHubs();
    },
    () => stable('1.2.0'),
  );
}, 900_000);

test.each(['SQLite', 'Postgres'])('the timeline tells it, from %s', async (name) => {
  const { intervals, gaps, releases } = await world.timeline(hubOn(name));
  const told = (role: string) =>
    intervals
      .filter((one) => one.role === role)
      .toReversed()
      .map(({ version, actor, reason, drift }) => [version, actor, reason, ...drift]);
  expect(told('stable')).toEqual([
    ['1.0.0', 'ada', null],
    ['1.1.0', 'grace', 'promoted by ada: its metrics are better'],
    ['1.0.0', 'grace', 'too many are virginica'],
    // Asked for by hand, but not there yet.
    ['1.0.0', null, null, 'differs-from-applied'],
    ['1.1.0', null, null, 'differs-from-applied'],
    ['1.0.0', 'grace', 'too many are virginica'],
    ['1.0.0', 'grace', 'too many are virginica', 'tag-moved'],
    ['1.2.0', 'nightly', 'promoted by nightly: as every night'],
  ]);
  // The second canary came and went while nobody watched: its release tells of it.
  expect(told('canary').map(([version]) => version)).toEqual(['1.1.0']);
  expect(releases.map(({ number, kind, version, actor, outcome }) => [number, kind, version, actor, outcome])).toEqual([
    [1, 'release', '1.0.0', 'ada', 'released'],
    [2, 'release', '1.1.0', 'grace', 'released'],
    [3, 'rollback', '1.0.0', 'grace', 'released'],
    [4, 'release', '1.2.0', 'nightly', 'released'],
  ]);
  expect(gaps).toHaveLength(1);
  const [gap] = gaps;
  const between = [times.get('tag moved'), gap?.from, times.get('unwatched'), gap?.to, times.get('watched again')];
  expect(between).toEqual(between.toSorted());
});

test.each(['SQLite', 'Postgres'])('--at tells what ran in each chapter, from %s', async (name) => {
  const told: Record<string, string[]> = {};
  const unsure: string[] = [];
  for (const [chapterName, time] of times) {
    const { servers, warnings } = JSON.parse(await inventory(hubOn(name), '--at', time, '--json')) as PastInventory;
    told[chapterName] = servers
      .filter(({ namespace }) => namespace.startsWith(world.namespace))
      .map(({ service, role, model, drift, observed }) =>
        [service, role, model?.version, ...drift.map(({ kind }) => kind), observed ? '' : '?']
          .filter(Boolean)
          .join(' '),
      );
    if (warnings.some(({ code }) => code === 'UNOBSERVED')) unsure.push(chapterName);
  }
  const others = ['churn not-inlay', 'fraud not-inlay'];
  expect(told).toEqual({
    before: [],
    deployed: ['iris stable 1.0.0', ...others],
    canary: ['iris stable 1.0.0', 'iris canary 1.1.0', ...others],
    promoted: ['iris stable 1.1.0', ...others],
    'rolled back': ['iris stable 1.0.0', ...others],
    edited: ['iris stable 1.1.0 differs-from-applied', ...others],
    repaired: ['iris stable 1.0.0', ...others],
    'tag moved': ['iris stable 1.0.0 tag-moved', ...others],
    unwatched: ['iris stable 1.2.0 ?', ...others.map((one) => `${one} ?`)],
    'watched again': ['iris stable 1.2.0', 'churn not-inlay'],
  });
  expect(unsure).toEqual(['before', 'unwatched']);
});

test('the inventory has what is left of it, as table, CSV and JSON', async () => {
  const hub = hubOn('SQLite');
  const { servers, warnings } = JSON.parse(await inventory(hub, '--json', '--all-contexts')) as Inventory;
  const ours = servers.filter(({ namespace }) => namespace.startsWith(world.namespace));
  expect(ours.map(({ context, service, role, model }) => [context, service, role, model?.version])).toEqual([
    ['prod', 'iris', 'stable', '1.2.0'],
    ['prod', 'churn', null, undefined],
  ]);
  expect(ours[1]?.libraries).toMatchObject({ 'scikit-learn': '0.22.2', Flask: '1.1.1' });
  expect(warnings.map(({ code }) => code)).toContain('SAME_CLUSTER');
  expect(await inventory(hub, '-n', world.namespace)).toMatch(
    /^service +role[^\n]+\niris +stable +1\.2\.0 [^\n]+flowers-team +-\n$/,
  );
  expect(await inventory(hub, '-n', world.others, '--library', 'scikit-learn<1')).toContain(
    'scikit-learn 0.22.2, debian 10',
  );
  expect(await inventory(hub, '-n', world.namespace, '--csv')).toContain(',iris,stable,Deployment,iris,');
}, 60_000);

test('the dashboard shows it', async () => {
  const { url } = hubOn('Postgres');
  const service = `/service?${new URLSearchParams({ context: 'prod', namespace: world.namespace, service: 'iris' })}`;
  const { releases } = await world.timeline(hubOn('Postgres'));
  const [one, two] = releases.map(({ digest }) => digest);
  const at = (name: string) => `/?${new URLSearchParams({ at: times.get(name) ?? '', q: world.namespace })}`;
  const pages: Record<string, readonly [path: string, text: string]> = {
    now: [`/?q=${world.namespace}`, 'churn'],
    service: [service, 'promoted by ada'],
    'at-canary': [at('canary'), 'canary'],
    'at-unwatched': [at('unwatched'), 'not watched'],
    'at-before': [at('before'), 'Nothing is known'],
    version: [`/version?digest=${two}`, 'accuracy'],
    versions: ['/versions', '1.1.0'],
    compare: [`/compare?${new URLSearchParams({ a: one ?? '', b: two ?? '' })}`, 'accuracy'],
    who: ['/who?library=scikit-learn%3C1', '0.22.2'],
    storage: ['/storage', 'iris'],
    prune: ['/prune', 'iris'],
    clusters: ['/clusters', 'prod'],
  };
  for (const [name, [path, text]] of Object.entries(pages))
    for (const [size, more] of Object.entries({
      light: { width: 1280, height: 900 },
      dark: { width: 1280, height: 900, dark: true },
      phone: { width: 390, height: 844 },
    })) {
      const page = await browser.open(url + path, more);
      const picture = () => page.screenshot({ path: join(PICTURES, `${name}-${size}.png`), fullPage: true });
      const there = page.getByText(text).filter({ visible: true }).first();
      await there.waitFor({ timeout: 15_000 }).catch(async (error) => {
        await picture();
        throw new Error(`${name}, ${size}: ${error}`);
      });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect({ name, size, wide }).toEqual({ name, size, wide: 0 });
      await picture();
      await page.close();
    }
  const page = await browser.open(url + service);
  const table = page.getByRole('region', { name: 'Timeline as a table' });
  await table.waitFor();
  expect(
    (await table.locator('tbody tr').allInnerTexts()).filter((text) => text.includes('no hub watched')),
  ).toHaveLength(1);
  await page.close();
  expect(browser.complaints).toEqual([]);
}, 300_000);

function hubOn(name: string): StoryHub {
  const hub = world.hubs.find((one) => one.name === name);
  if (!hub) throw new Error(`no hub on ${name}`);
  return hub;
}

function inventory(hub: StoryHub, ...args: string[]): Promise<string> {
  return world.must(['inventory', '--insecure-registry', world.cluster.registry, ...args], world.envOf(hub));
}
