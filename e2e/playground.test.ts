// The playground in a real browser, against the server that `inlay serve` starts.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Browser, serveProject, startBrowser } from './browser.ts';
import { ROOT, run } from './inlay.ts';
import { type ProjectName, writeProject } from './playground-projects.ts';

const AXE = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');
/** For people to look at; outside the tree. */
const PICTURES = join(homedir(), '.cache', 'inlay-e2e', 'playground');
const NAMES = ['iris', 'text', 'house', 'several', 'digits', 'words'] as const;
const SEVEN = join(ROOT, 'examples/digits/samples/7.png');

let dir: string;
let browser: Browser;
const served: Record<string, Awaited<ReturnType<typeof serveProject>>> = {};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-playground-'));
  mkdirSync(PICTURES, { recursive: true });
  for (const name of NAMES)
    served[name] = await serveProject(
      name === 'iris' || name === 'digits' ? join(ROOT, 'examples', name) : writeProject(dir, name as ProjectName),
    );
  browser = await startBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  for (const { stop } of Object.values(served)) await stop();
  rmSync(dir, { recursive: true, force: true });
});

const urlOf = (name: (typeof NAMES)[number]) => `${served[name]?.url}/`;
const predict = (page: Page) => page.getByRole('button', { name: 'Predict' }).click();
const headline = async (page: Page, text: string | RegExp) => {
  const found = page.getByRole('status').filter({ hasText: text });
  await found.first().waitFor();
};
const bars = (page: Page) => page.locator('.bars li').allInnerTexts();
const fillOf = (page: Page, label: string) =>
  page.locator('.bars li', { hasText: label }).evaluate((row) => {
    const track = row.querySelector('.track') as HTMLElement;
    return (row.querySelector('.fill') as HTMLElement).offsetWidth / track.offsetWidth;
  });

test('iris: fields from the contract, bars of its answer, and back to the sample', async () => {
  const page = await browser.open(urlOf('iris'));
  const fields = page.getByRole('spinbutton');
  expect(await fields.evaluateAll((all) => all.map((field) => (field as HTMLInputElement).value))).toEqual([
    '5.1',
    '3.5',
    '1.4',
    '0.2',
  ]);
  for (const [column, value] of ['6.3', '3.3', '6', '2.5'].entries()) await fields.nth(column).fill(value);
  await predict(page);
  await headline(page, /virginica/);
  const answer = await (
    await fetch(`${urlOf('iris')}predict`, { method: 'POST', body: '{"data":[[6.3,3.3,6,2.5]]}' })
  ).json();
  const [, , probability] = (answer as { prediction: number[] }).prediction as [number, number, number];
  expect((await bars(page)).map((text) => text.split(/[\n,]/)[0])).toEqual(['setosa', 'versicolor', 'virginica']);
  expect(Math.abs((await fillOf(page, 'virginica')) - probability)).toBeLessThan(0.02);
  await page.getByRole('button', { name: 'Exact values' }).click();
  expect((await bars(page))[2]).toContain(String(probability));
  expect(await page.getByRole('region', { name: 'The answer as JSON' }).innerText()).toBe(JSON.stringify(answer));
  await page.screenshot({ path: join(PICTURES, 'iris.png'), fullPage: true });

  // The line on the page is one that a shell sends, with the same answer.
  const line = await page.getByRole('region', { name: 'The request as a curl line' }).innerText();
  expect(JSON.parse((await run(['sh', '-c', line])).stdout)).toEqual(answer);

  await page.getByRole('button', { name: 'Reset to sample' }).click();
  expect(await fields.first().inputValue()).toBe('5.1');
  await page.close();
});

test('what the page cannot read and what the API refuses stands beside the form', async () => {
  const page = await browser.open(urlOf('iris'));
  await page.getByLabel('sepal_width').fill('');
  await predict(page);
  const field = page.getByLabel('sepal_width');
  expect(await field.getAttribute('aria-invalid')).toBe('true');
  expect(await page.getByText('sepal_width needs a value').isVisible()).toBe(true);
  expect(await field.evaluate((node) => node === document.activeElement)).toBe(true);
  const before = browser.complaints.length;
  await field.fill('1e39');
  await field.press('Enter');
  const alert = page.getByRole('alert');
  await alert.getByText('INPUT_INVALID').waitFor();
  expect(await alert.innerText()).toContain('float32 can hold');
  // The browser itself reports the 400 on the console.
  expect(browser.complaints.splice(before).filter((text) => !/status of 400/.test(text))).toEqual([]);
  await page.close();
});

test('a file of rows is a table of answers', async () => {
  const page = await browser.open(urlOf('iris'));
  const buffer = Buffer.from('a,b,c,d\n5.1,3.5,1.4,0.2\n6.3,3.3,6,2.5\n');
  await page.locator('#file').setInputFiles({ name: 'rows.csv', mimeType: 'text/csv', buffer });
  await headline(page, 'rows.csv: 2 rows');
  await predict(page);
  await headline(page, /^2 rows$/);
  expect(await page.locator('.scroll tbody td:first-of-type').allInnerTexts()).toEqual(['setosa', 'virginica']);
  await page.screenshot({ path: join(PICTURES, 'rows.png'), fullPage: true });
  await page.getByRole('button', { name: 'Remove the file' }).click();
  expect(await page.getByRole('spinbutton').first().isVisible()).toBe(true);
  await page.close();
});

test('text: a label that is HTML stays text', async () => {
  const page = await browser.open(urlOf('text'));
  await page.getByLabel('review').fill('bad');
  await page.getByLabel('review').press('Control+Enter');
  await headline(page, /negative/);
  expect((await bars(page))[1]).toStartWith('</script><b>positive');
  expect(await fillOf(page, 'negative')).toBeGreaterThan(0.9);
  await page.screenshot({ path: join(PICTURES, 'text.png'), fullPage: true });
  await page.close();
});

test('regression with a missing value, by the keyboard alone', async () => {
  const page = await browser.open(urlOf('house'));
  const focused = () => page.evaluate(() => document.activeElement?.id);
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('f0-0');
  await page.keyboard.type('4');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('f0-2');
  await page.keyboard.type('12.5');
  await page.keyboard.press('Enter');
  await headline(page, /^188\.5$/);
  await page.keyboard.press('Backspace');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Backspace');
  // Past the file to the button.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Predict');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
  expect(outline).toBe('solid');
  await page.keyboard.press('Space');
  await headline(page, /^201$/);
  await page.close();
});

test('digits: an image is dropped, shown, sent as it is and answered with bars', async () => {
  const page = await browser.open(urlOf('digits'));
  await predict(page);
  expect(await page.getByText('Choose a file first.').isVisible()).toBe(true);
  expect(await page.locator('#upload').evaluate((node) => node === document.activeElement)).toBe(true);
  await page.screenshot({ path: join(PICTURES, 'digits-empty.png'), fullPage: true });
  const base64 = readFileSync(SEVEN).toString('base64');
  await page.locator('form').evaluate((form, content) => {
    const files = new DataTransfer();
    const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
    files.items.add(new File([bytes], 'a seven.png', { type: 'image/png' }));
    form.dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }));
  }, base64);
  await page.getByRole('img', { name: 'a seven.png, 192 × 192 pixels' }).waitFor();
  expect(await page.getByText('Choose a file first.').isVisible()).toBe(false);
  await predict(page);
  await headline(page, /^7/);
  expect((await bars(page)).length).toBe(10);
  expect(await fillOf(page, 'the likeliest')).toBeGreaterThan(0.9);
  await page.screenshot({ path: join(PICTURES, 'digits.png'), fullPage: true });

  // The line on the page sends the file that lies where the shell is.
  writeFileSync(join(dir, 'a seven.png'), readFileSync(SEVEN));
  const line = await page.getByRole('region', { name: 'The request as a curl line' }).innerText();
  const sent = JSON.parse((await run(['sh', '-c', line], { cwd: dir })).stdout) as { label: string };
  expect(sent.label).toBe('7');
  expect(await page.getByRole('region', { name: 'The answer as JSON' }).innerText()).toBe(JSON.stringify(sent));

  await page.getByRole('button', { name: 'Remove the file' }).click();
  expect(await page.locator('.upload canvas').count()).toBe(0);
  await page.close();
});

test('digits: what is no image is refused beside the form, by the keyboard too', async () => {
  const page = await browser.open(urlOf('digits'));
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('upload');
  const buffer = Buffer.from('no image');
  await page.locator('#upload').setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer });
  const before = browser.complaints.length;
  await page.getByRole('button', { name: 'Predict' }).press('Enter');
  const alert = page.getByRole('alert');
  await alert.getByText('INPUT_INVALID').waitFor();
  expect(await alert.innerText()).toContain('no image/png that can be read');
  expect(browser.complaints.splice(before).filter((text) => !/status of 400/.test(text))).toEqual([]);
  await page.close();
});

test('words: JSON of a transform’s own is typed, a file takes its place, and the answer is shown as it is', async () => {
  const page = await browser.open(urlOf('words'));
  const field = page.getByLabel('Body as JSON');
  expect(await field.inputValue()).toBe('{"text":"a few words"}');
  await predict(page);
  await headline(page, /^Answered$/);
  const answer = page.getByRole('region', { name: 'The prediction as JSON' });
  expect(JSON.parse(await answer.innerText())).toEqual({ words: [{ length: 1 }, { length: 3 }, { length: 5 }] });
  await page.screenshot({ path: join(PICTURES, 'words.png'), fullPage: true });
  await field.fill('{"text":');
  await predict(page);
  expect(await field.getAttribute('aria-invalid')).toBe('true');
  await page.locator('#upload').setInputFiles({ name: 'a.wav', mimeType: 'audio/wav', buffer: Buffer.alloc(1234) });
  expect(await field.isVisible()).toBe(false);
  await predict(page);
  await page.locator('.outcome', { hasText: /^200/ }).waitFor();
  await page.getByText('"length": 4').waitFor();
  await page.getByRole('button', { name: 'Reset to sample' }).click();
  expect(await field.inputValue()).toBe('{"text":"a few words"}');
  await page.close();
});

test('several inputs, each with its control', async () => {
  const page = await browser.open(urlOf('several'));
  await page.getByLabel('visits').fill('41');
  await page.getByLabel('subscribed').uncheck();
  await predict(page);
  await headline(page, /^4 values$/);
  expect(await page.locator('.values li').allInnerTexts()).toEqual(['41', '0', '52.52', '13.405']);
  await page.close();
});

test.each(NAMES)('%s: nothing moves, nothing is cut off on a phone, and axe finds nothing', async (name) => {
  for (const dark of [false, true]) {
    const page = await browser.open(urlOf(name), { width: 320, height: 640, dark });
    if (name === 'digits') await page.locator('#upload').setInputFiles(SEVEN);
    if (name === 'digits') await page.locator('.upload canvas').waitFor();
    await predict(page);
    await page.locator('.outcome', { hasText: /^200/ }).waitFor();
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(wide).toEqual([320, 320]);
    await page.evaluate(AXE);
    const violations = await page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const found = await axe.run();
      return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
    });
    expect(violations).toEqual([]);
    await page.screenshot({ path: join(PICTURES, `${name}-phone${dark ? '-dark' : ''}.png`), fullPage: true });
    await page.close();
  }
});

test('loading shifts nothing', async () => {
  const page = await browser.open(urlOf('iris'));
  const shift = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as PerformanceEntry & { value: number }).value;
        }).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => resolve(sum), 300);
      }),
  );
  expect(shift).toBe(0);
  await page.close();
});

test('behind a path prefix', async () => {
  const proxy = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (!pathname.startsWith('/models/iris/')) return new Response('elsewhere', { status: 404 });
      return fetch(urlOf('iris') + pathname.slice('/models/iris/'.length), {
        method: request.method,
        body: request.body,
      });
    },
  });
  const page = await browser.open(`http://127.0.0.1:${proxy.port}/models/iris/`);
  await predict(page);
  await headline(page, /setosa/);
  await page.getByRole('link', { name: 'API documentation' }).click();
  await page.locator('.opblock').first().waitFor();
  await page.close();
  await proxy.stop(true);
});

test('Swagger UI still shows the routes', async () => {
  const page = await browser.open(`${urlOf('iris')}docs`);
  await page.locator('.opblock', { hasText: '/predict/label' }).first().waitFor();
  await page.close();
});

test('no page asked another host, no console had an error', () => {
  expect(browser.complaints).toEqual([]);
});
