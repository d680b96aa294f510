import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Hub, type HubServer, type Ledger, openLedger, serveHub } from '../../src/inventory/index.ts';
import { RegistryReader } from '../../src/registry/index.ts';
import { deployment, FakeCluster, inlays, pod } from './fake-cluster.ts';
import { codeOf } from './rows.ts';
import { InventoryWorld } from './world.ts';

const TOKEN = 'a-token-of-some-length';
let world: InventoryWorld;
let cluster: FakeCluster;
let ledger: Ledger;
let hub: Hub;
let open: HubServer;
let guarded: HubServer;
let running: Promise<void>;
const abort = new AbortController();
type Image = Awaited<ReturnType<InventoryWorld['image']>>;
const images: Image[] = [];

async function until<T>(ask: () => T | Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    await Bun.sleep(20);
  }
}
// biome-ignore lint/suspicious/noExplicitAny: the answers are what the test is about
const get = async (path: string): Promise<any> => (await fetch(open.url + path)).json();
const run = (name: string, image: Image | undefined) => {
  const reference = image?.name ?? '';
  cluster.put('deployments', deployment(name, reference, { labels: inlays(name) }));
  cluster.put('pods', pod(name, reference, `${reference.replace(/:[^:/]*$/, '')}@${image?.index}`));
};
const timeline = async (name: string) =>
  (await get(`/api/services/prod/ml/${name}/timeline`)).intervals as { version: string; observedTo: string | null }[];

beforeAll(async () => {
  world = await InventoryWorld.start();
  cluster = new FakeCluster();
  for (const version of ['1', '2', '3'])
    images.push(await world.inlayImage('iris', version, { onnxruntime: `1.${version}0.0` }));
  run('iris', images[0]);
  run('rose', images[1]);
  ledger = await openLedger(`sqlite://${world.world.dir}/ledger.db`);
  hub = new Hub({
    kubes: [cluster.kube('prod', abort.signal)],
    catalogue: world.catalogue(),
    ledger,
    registryIntervalMs: 3_600_000,
    signal: abort.signal,
  });
  const options = {
    hub,
    reader: new RegistryReader(world.world.registry()),
    contractOf: async () => ({ metrics: { accuracy: 0.9 } }),
    registryIntervalMs: 1000,
    host: '127.0.0.1',
    port: 0,
  };
  open = serveHub(options);
  guarded = serveHub({ ...options, token: TOKEN });
  running = hub.run();
  await until(
    () => hub.rows.size,
    (size) => size === 2,
  );
  await until(
    () => timeline('iris'),
    ({ length }) => length === 1,
  );
});
afterAll(async () => {
  abort.abort();
  await running;
  await open.stop();
  await guarded.stop();
  await ledger[Symbol.asyncDispose]();
  await cluster.stop();
  await world.stop();
});

describe('the hub', () => {
  test('answers what runs now, filtered, sorted and by pages', async () => {
    expect(await get('/api/now?limit=1&sort=version&order=desc')).toMatchObject({
      total: 2,
      offset: 0,
      servers: [{ service: 'rose' }],
    });
    expect(await get('/api/now?library=onnxruntime<1.20')).toMatchObject({ total: 1, servers: [{ service: 'iris' }] });
    expect((await get('/api/facets')).models).toEqual([{ value: 'iris', count: 2 }]);
    expect(await get(`/api/versions/${images[0]?.manifest}`)).toMatchObject({
      image: { digest: images[0]?.index },
      contract: { metrics: { accuracy: 0.9 } },
      running: [{ service: 'iris' }],
      ran: [{ service: 'iris' }],
    });
    const { changes } = await get(`/api/compare?a=${images[0]?.index}&b=${images[1]?.index}`);
    expect(changes).toContainEqual({ what: 'libraries.onnxruntime', from: '1.10.0', to: '1.20.0' });
    expect(await get('/api/images?running=true')).toMatchObject({ total: 2 });
    expect((await get('/api/storage')).repositories[0]).toMatchObject({ tags: 3, images: 3, running: 2 });
    expect(await get('/api/status')).toMatchObject({
      writer: true,
      clusters: [{ context: 'prod', state: 'watching', servers: 2 }],
    });
    expect(await get(`/api/at?time=${new Date().toISOString()}`)).toMatchObject({ total: 2 });
    expect(await (await fetch(`${open.url}/metrics`)).text()).toContain(
      'inlay_hub_servers{context="prod",state="ready"} 2',
    );
  });

  test('sees a change by its watch, tells it live, and writes it', async () => {
    const response = await fetch(`${open.url}/api/events`);
    const reader = response.body?.getReader();
    let text = '';
    const told = (async () => {
      while (!text.includes('event: servers')) text += new TextDecoder().decode((await reader?.read())?.value);
    })();
    run('iris', images[2]);
    await told;
    await reader?.cancel();
    expect(text).toContain('event: hello');
    const story = await until(
      () => timeline('iris'),
      ({ length }) => length === 2,
    );
    expect(story.map(({ version, observedTo }) => [version, observedTo === null])).toEqual([
      ['3', true],
      ['1', false],
    ]);
    expect(cluster.requests.get('list pods')).toBe(1);
  });

  test('goes on from where a cut watch was, without a list', async () => {
    cluster.cut();
    run('rose', images[2]);
    await until(
      () => timeline('rose'),
      ({ length }) => length === 2,
    );
    expect(cluster.requests.get('list pods')).toBe(1);
  });

  test('lists anew when the version is forgotten, and sees what has gone meanwhile', async () => {
    cluster.remove('deployments', 'ml', 'rose');
    cluster.remove('pods', 'ml', 'rose-abc-1');
    run('violet', images[0]);
    cluster.cut(true);
    await until(
      () =>
        [...hub.rows.values()]
          .map(({ service }) => service)
          .sort()
          .join(),
      (services) => services === 'iris,violet',
    );
    expect(
      (
        await until(
          () => timeline('rose'),
          ([last]) => last?.observedTo !== null,
        )
      )[0]?.version,
    ).toBe('3');
  });

  test('answers lists with short rows, and who runs an image or a library in which version', async () => {
    const { servers } = await get('/api/now?brief=true&library=onnxruntime&limit=5000&service=iris');
    expect(servers).toEqual([
      expect.objectContaining({ id: 'prod/ml/Deployment/iris/stable', library: '1.30.0', index: images[2]?.index }),
    ]);
    expect(servers[0].libraries).toBeUndefined();
    expect((await get('/api/facets')).libraries).toEqual([{ value: 'onnxruntime', count: 2 }]);
    const digest = images[2]?.index ?? '';
    expect(await get(`/api/now?digest=${digest.slice(0, 20)}`)).toMatchObject({
      total: 1,
      servers: [{ service: 'iris' }],
    });
    expect((await get('/api/now?digest=sha256:12')).total).toBe(0);
    expect((await get(`/api/at?brief=true&time=${new Date().toISOString()}`)).servers[0].observed).toBeBoolean();
    const reader = (await fetch(`${open.url}/api/events?brief=true&since=0`)).body?.getReader();
    const text = new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    expect(text).toContain(`"startedAt":"${hub.startedAt}"`);
  });

  test('sends the dashboard to whoever asks, under a strict policy, and nothing else of its folder', async () => {
    for (const path of ['/', '/service?context=a', '/who', '/compare']) {
      const page = await fetch(guarded.url + path);
      expect([path, page.status, page.headers.get('content-type')]).toEqual([path, 200, 'text/html; charset=utf-8']);
      expect(page.headers.get('content-security-policy')).toStartWith("default-src 'self'; base-uri 'none';");
    }
    const page = await (await fetch(`${guarded.url}/`)).text();
    const files = [...page.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map((match) => match[1] as string);
    expect(files.length).toBe(3);
    for (const file of files) expect((await fetch(`${guarded.url}/${file}`)).status).toBe(200);
    for (const path of ['/dashboard/page.ts', '/dashboard/', '/dashboard/constructor', '/dashboard/..%2fbundle.ts'])
      expect([path, (await fetch(open.url + path)).status]).toEqual([path, 404]);
    expect((await fetch(open.url, { method: 'POST' })).status).toBe(405);
    // By it the page knows whether a token would help.
    expect((await fetch(`${guarded.url}/api/now`)).headers.get('www-authenticate')).toBe('Bearer');
    const elsewhere = await fetch(`${open.url}/api/now`, { headers: { host: 'evil.example' } });
    expect(elsewhere.headers.get('www-authenticate')).toBeNull();
  });

  test('reads only, and answers a wrong question with 4xx', async () => {
    const status = async (path: string, init: RequestInit = {}) => (await fetch(open.url + path, init)).status;
    expect(await status('/api/now', { method: 'POST' })).toBe(405);
    expect(await status('/api/now', { method: 'DELETE' })).toBe(405);
    expect(await status('/api/nothing')).toBe(404);
    expect(await status('/api/versions/x')).toBe(400);
    expect(await status('/api/now?library=<')).toBe(400);
    expect(await status('/api/now?olderThan=x')).toBe(400);
    expect(await status('/api/services/%E0%A4%A/x/y/timeline')).toBe(400);
    expect(await status('/api/at')).toBe(400);
    expect(await status('/etc/passwd')).toBe(404);
    expect(await status(`/api/versions/sha256:${'0'.repeat(64)}`)).toBe(404);
  });

  test('answers, without a token, only to this machine’s own name', async () => {
    expect((await fetch(`${open.url}/api/now`, { headers: { host: 'evil.example' } })).status).toBe(401);
  });

  test('answers, with a token, only to who knows it', async () => {
    const status = async (headers: Record<string, string>, path = '/api/now') =>
      (await fetch(guarded.url + path, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({}, '/metrics')).toBe(401);
    expect(await status({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({ authorization: `Bearer ${TOKEN}` })).toBe(200);
    expect(await status({ cookie: 'inlay_hub=0' })).toBe(401);
    expect((await fetch(`${guarded.url}/api/session`, { method: 'POST', body: '{"token":"wrong"}' })).status).toBe(401);
    const login = await fetch(`${guarded.url}/api/session`, { method: 'POST', body: JSON.stringify({ token: TOKEN }) });
    const cookie = login.headers.get('set-cookie') ?? '';
    expect(cookie).toContain('HttpOnly; SameSite=Strict');
    expect(cookie).not.toContain(TOKEN);
    expect(await status({ cookie: cookie.split(';')[0] ?? '' })).toBe(200);
    expect(await status({}, '/healthz')).toBe(200);
  });

  test('listens on no other address without a token', () => {
    const options = {
      hub,
      reader: new RegistryReader(world.world.registry()),
      contractOf: async () => null,
      registryIntervalMs: 1000,
      host: '0.0.0.0',
      port: 0,
    };
    expect(codeOf(() => serveHub(options))).toBe('HUB_TOKEN_MISSING');
    expect(codeOf(() => serveHub({ ...options, token: 'short' }))).toBe('HUB_TOKEN_MISSING');
  });
});
