// The dashboard in a real browser, against a hub that follows two clusters and keeps a ledger.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Browser, startBrowser } from './browser.ts';
import { DashboardWorld, TOKEN } from './dashboard-world.ts';
import { ROOT } from './inlay.ts';

const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');
/** For people to look at; outside the tree. */
const PICTURES = join(homedir(), '.cache', 'inlay-e2e', 'dashboard');
const SERVICE = 'service?context=prod-eu&namespace=ml&service=iris';

let world: DashboardWorld;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  world = await DashboardWorld.start(300);
  browser = await startBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
}, 30_000);

const digestOf = (version: string) => world.imageOf(version).index;
const total = (page: Page, text: string) => page.locator('.total', { hasText: text }).waitFor();
const services = (page: Page) => page.locator('tr[data-row] th a').allInnerTexts();
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? '');
const address = (page: Page) => page.evaluate(() => location.pathname + location.search);
/** The address follows what is typed. */
const until = async <T>(ask: () => Promise<T>, wanted: T) => {
  while ((await ask()) !== wanted) await Bun.sleep(50);
};
/** Each page with what stands on it when it is there. */
const pages = (): Readonly<Record<string, readonly [string, string]>> => ({
  now: ['', '304 servers'],
  service: [SERVICE, 'fail: latency_p99'],
  version: [`version?digest=${digestOf('0.0.2')}`, 'replayed at every start'],
  versions: ['versions', '4 versions'],
  compare: [`compare?a=${digestOf('0.0.2')}&b=${digestOf('0.0.3')}`, '+0.021'],
  who: ['who?library=onnxruntime', '304 servers'],
  storage: ['storage', 'Nothing needs'],
  prune: ['prune', 'would become free'],
  clusters: ['clusters', 'Every image could be read.'],
});

test('now: every server with role, version, age and drift; words and lists narrow it; the address says so', async () => {
  const page = await browser.open(world.url);
  await total(page, '304 servers');
  expect((await services(page)).slice(0, 4)).toEqual(['churn', 'iris', 'iris', 'iris']);
  expect(await page.locator('tr[data-row]', { hasText: 'churn' }).first().innerText()).toContain('0/1 down');
  await page.getByLabel('Filter by words').fill('iris canary');
  await total(page, '1 of 304 servers');
  await until(() => address(page), '/?q=iris+canary');
  await page.getByLabel('Filter by words').fill('');
  await page.getByLabel('Cluster').selectOption('staging');
  await total(page, '101 of 304');
  await page.getByLabel('State').selectOption('degraded');
  await page.getByText('No server fits these filters.').waitFor();
  expect(await address(page)).toBe('/?context=staging&state=degraded');
  await page.goBack();
  await total(page, '101 of 304');
  await page.reload();
  await total(page, '101 of 304');
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await page.getByRole('button', { name: 'Age' }).click();
  expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
  expect((await services(page))[0]).toBe('iris');
  await page.close();
});

test('a service’s timeline: what ran, who let it, why, and where nobody watched', async () => {
  const page = await browser.open(world.url + SERVICE);
  const table = page.getByRole('region', { name: 'Timeline as a table' });
  await table.waitFor();
  const rows = await table.locator('tbody tr').allInnerTexts();
  const text = rows.join('\n');
  expect(rows.filter((one) => one.includes('unknown: no hub watched')).length).toBe(2);
  expect(text).toMatch(/0\.0\.1\s+ada\s+✓ pass\s+bake passed/);
  expect(text).toMatch(/0\.0\.2\s+grace\s+✓ pass\s+bake passed\s+tag moved/);
  expect(await page.getByRole('region', { name: 'Releases', exact: true }).innerText()).toContain('backed-out');
  expect(await page.locator('.gap-mark').count()).toBeGreaterThan(1);
  await page.getByLabel('How far back').selectOption('7d');
  expect(await address(page)).toContain('range=7d');
  expect((await table.innerText()).includes('ada')).toBe(false);
  await page.close();
});

test('a version, what differs from another, and back', async () => {
  const page = await browser.open(`${world.url}version?digest=${digestOf('0.0.3')}`);
  await page.getByRole('heading', { name: 'iris 0.0.3' }).waitFor();
  await page.getByRole('region', { name: 'Where it runs now' }).getByText('staging').waitFor();
  await page.getByRole('region', { name: 'Contract: inputs' }).getByText('float_input').waitFor();
  expect(await page.getByRole('region', { name: 'Training', exact: true }).innerText()).toContain('0.961');
  await page.getByLabel('Compare with').selectOption(digestOf('0.0.2'));
  const metrics = page.getByRole('region', { name: 'Metrics of training', exact: true });
  await metrics.waitFor();
  expect(await metrics.innerText()).toContain('+0.021');
  expect(await page.getByRole('region', { name: 'Libraries', exact: true }).innerText()).toContain('1.29.1');
  await page.goBack();
  await page.getByRole('heading', { name: 'iris 0.0.3' }).waitFor();
  await page.goto(`${world.url}version?digest=sha256:${'0'.repeat(64)}`);
  await page.getByText('The hub has never seen this image.').waitFor();
  await page.close();
  // The browser itself reports the 404 on the console.
  expect(browser.complaints.splice(0).filter((text) => !/status of 404/.test(text))).toEqual([]);
});

test('two versions are chosen from the list', async () => {
  const page = await browser.open(`${world.url}versions?q=iris`);
  await page.getByRole('button', { name: 'compare iris 0.0.2' }).click();
  await page.getByText('Choose what to compare').waitFor();
  await page.getByRole('button', { name: 'compare iris 0.0.3' }).click();
  await page.getByRole('heading', { name: 'Libraries' }).waitFor();
  expect(await address(page)).toBe(`/compare?${new URLSearchParams({ a: digestOf('0.0.2'), b: digestOf('0.0.3') })}`);
  await page.close();
});

test('who runs a library in some versions, and an image; a condition that is none is explained', async () => {
  const page = await browser.open(`${world.url}who`);
  await page.getByLabel('Library').fill('onnxruntime<1.30');
  await page.getByLabel('Library').press('Enter');
  await total(page, '1 server');
  expect(await page.locator('tr[data-row]').innerText()).toContain('1.29.1');
  await page.goto(`${world.url}who?digest=${digestOf('0.0.3').slice(0, 20)}`);
  await total(page, '2 servers');
  await page.getByLabel('Library').fill('<');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.getByRole('alert').getByText('asks for no library').waitFor();
  await page.close();
  expect(browser.complaints.splice(0).filter((text) => !/status of 400/.test(text))).toEqual([]);
});

test('what prune would delete, and why the rest stays; what a repository held over time', async () => {
  const page = await browser.open(`${world.url}prune`);
  const images = page.getByRole('region', { name: 'Images that go or stay' });
  await images.waitFor();
  expect(await images.locator('tbody tr').first().innerText()).toMatch(/ml\/iris:0\.0\.1\s+goes/);
  await page.getByLabel('Verdict').selectOption('keep');
  await until(() => address(page), '/prune?verdict=keep');
  await until(
    async () => (await images.locator('tbody tr').count()) > 0 && !(await images.innerText()).includes('goes'),
    true,
  );
  expect(await images.innerText()).toContain('0.0.2');
  await page.goto(`${world.url}storage`);
  const course = page.getByRole('region', { name: 'Storage over time' });
  await course.waitFor();
  expect(await course.locator('tbody tr').count()).toBe(1);
  await page.close();
});

test('as it ran at a time when nobody watched', async () => {
  const page = await browser.open(
    `${world.url}?at=${new Date(Date.now() - 18.5 * 86_400_000).toISOString()}&q=ml/iris:0.0.1`,
  );
  await page.getByText(/nobody watched .+ then/).waitFor();
  expect(await page.locator('tr[data-row]').allInnerTexts()).toEqual([expect.stringContaining('not watched')]);
  await page.getByRole('button', { name: 'Back to now' }).click();
  await page.getByText('No server fits these filters.').waitFor();
  await page.close();
});

test('what changes is there at once, on every page that is open', async () => {
  const [now, timeline] = [
    await browser.open(`${world.url}?q=violet`),
    await browser.open(`${world.url}service?context=staging&namespace=ml&service=violet`),
  ];
  await now.getByText('No server fits these filters.').waitFor();
  await now.locator('.live', { hasText: 'live' }).waitFor();
  world.run('violet', world.imageOf('0.0.2'), { cluster: world.staging });
  await total(now, '1 of 305');
  await timeline.getByRole('region', { name: 'Timeline as a table' }).getByText('0.0.2').waitFor();
  world.run('violet', world.imageOf('0.0.3'), { cluster: world.staging });
  await now.locator('tr[data-row]', { hasText: '0.0.3' }).waitFor();
  world.staging.remove('deployments', 'ml', 'violet');
  world.staging.remove('pods', 'ml', 'violet-abc-1');
  await now.getByText('No server fits these filters.').waitFor();
  await timeline.getByText('It does not run now.').waitFor();
  await now.close();
  await timeline.close();
});

test('by the keyboard alone', async () => {
  const page = await browser.open(world.url);
  await total(page, '304 servers');
  await page.keyboard.press('/');
  await page.keyboard.type('ranking');
  await total(page, '300 of 304');
  await page.keyboard.press('ArrowDown');
  expect(await focused(page)).toBe('ranking-0');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  expect(await focused(page)).toBe('3.1.0');
  await page.keyboard.press('ArrowLeft');
  // Far below what is drawn.
  await page.keyboard.press('End');
  await until(() => focused(page), 'ranking-299');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'ranking-299' }).waitFor();
  await until(() => focused(page), 'ranking-299');
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
  await page.goBack();
  // The list stands where it was left.
  await page.locator('tr[data-row] a', { hasText: 'ranking-299' }).waitFor();
  expect(await address(page)).toBe('/?q=ranking');
  await page.close();
});

test('a hub that wants a token asks for it, and the address stays', async () => {
  const page = await browser.open(world.guardedUrl + SERVICE);
  await page.getByLabel('Token').fill('wrong');
  await page.getByLabel('Token').press('Enter');
  await page.getByText('that is not the token').waitFor();
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('region', { name: 'Timeline as a table' }).waitFor();
  await page.close();
  expect(browser.complaints.splice(0).filter((text) => !/status of 401/.test(text))).toEqual([]);
});

test('axe finds nothing, in light and dark, and nothing is cut off on a phone', async () => {
  for (const [name, [path, text]] of Object.entries(pages()))
    for (const [size, more] of Object.entries({
      light: { width: 1280, height: 760 },
      'phone-dark': { width: 360, height: 740, dark: true },
    })) {
      const page = await browser.open(world.url + path, more);
      await page.getByText(text).first().waitFor();
      await page.evaluate(AXE);
      const violations = await page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        const found = await axe.run();
        return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
      });
      expect({ name, size, violations }).toEqual({ name, size, violations: [] });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect({ name, size, wide }).toEqual({ name, size, wide: 0 });
      await page.screenshot({ path: join(PICTURES, `${name}-${size}.png`) });
      await page.close();
    }
}, 300_000);

test('behind a path prefix', async () => {
  const proxy = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => {
      const { pathname, search } = new URL(request.url);
      if (!pathname.startsWith('/hub/')) return new Response('elsewhere', { status: 404 });
      return fetch(world.url + pathname.slice('/hub/'.length) + search, {
        decompress: false,
        headers: { 'accept-encoding': request.headers.get('accept-encoding') ?? '' },
      });
    },
  });
  const page = await browser.open(`http://127.0.0.1:${proxy.port}/hub/`);
  await total(page, '304 servers');
  await page.getByRole('link', { name: 'iris', exact: true }).first().click();
  await page.getByRole('heading', { name: 'iris' }).waitFor();
  expect(await address(page)).toStartWith('/hub/service?');
  await page.close();
  await proxy.stop(true);
});

test('no page asked another host, no console had an error', () => {
  expect(browser.complaints).toEqual([]);
});
