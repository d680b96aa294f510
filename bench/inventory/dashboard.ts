// What the dashboard takes with 10 000 rows in a real Chromium: until the first rows are drawn, and from a key in the filter to the next frame.
import { startBrowser } from '../../e2e/browser.ts';

const at = process.argv.indexOf('--deployments');
const deployments = at === -1 ? '10000' : (process.argv[at + 1] ?? '');
const child = (file: string, ...args: string[]) =>
  Bun.spawn([process.execPath, '--no-env-file', `${import.meta.dir}/${file}`, ...args], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
async function firstLine<T>(from: { readonly stdout: ReadableStream<Uint8Array> }): Promise<T> {
  const { value } = await from.stdout.getReader().read();
  return JSON.parse(new TextDecoder().decode(value)) as T;
}

/** In the page: when the first row was drawn, and for every key until which frame it took. ms */
function watchPage(): void {
  const seen = { drawnMs: 0, keysMs: [] as number[] };
  Object.assign(window, { seen });
  /** After the frame that is being made: what follows it in the queue. */
  const afterFrame = (work: () => void) => requestAnimationFrame(() => setTimeout(work));
  new MutationObserver((_, observer) => {
    if (!document.querySelector('tr[data-row]')) return;
    observer.disconnect();
    afterFrame(() => {
      seen.drawnMs = performance.now();
    });
  }).observe(document, { childList: true, subtree: true });
  addEventListener(
    'keydown',
    ({ timeStamp }) => afterFrame(() => seen.keysMs.push(performance.now() - timeStamp)),
    true,
  );
}

const cluster = child('cluster-server.ts', deployments, '2000');
const { api } = await firstLine<{ api: string }>(cluster);
const hub = child('hub-child.ts', api, deployments);
const browser = await startBrowser();
try {
  const { url, rows } = await firstLine<{ url: string; rows: number }>(hub);
  const firstMs: number[] = [];
  const paintMs: number[] = [];
  const keysMs: number[] = [];
  await browser.context.addInitScript(watchPage);
  for (let load = 0; load < 5; load++) {
    const page = await browser.open(url, { width: 1440, height: 900 });
    await page.locator('tr[data-row]').first().waitFor();
    await page.waitForFunction(() => (window as unknown as { seen: { drawnMs: number } }).seen.drawnMs > 0);
    for (const text of ['svc-12', 'model-77 stable', 'ns-3 0.0.1']) {
      await page.getByLabel('Filter by words').fill('');
      await page.getByLabel('Filter by words').pressSequentially(text, { delay: 120 });
    }
    const seen = await page.evaluate(() => (window as unknown as { seen: { drawnMs: number; keysMs: number[] } }).seen);
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0);
    firstMs.push(seen.drawnMs);
    paintMs.push(paint);
    keysMs.push(...seen.keysMs);
    await page.close();
  }
  const line = (what: string, all: readonly number[], goal: string) => {
    const sorted = all.toSorted((a, b) => a - b);
    const [median = 0, worst = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    console.log(
      `${what.padEnd(58)}${`${median.toFixed(0)} ms`.padStart(9)}, at worst ${worst.toFixed(0)} ms   ${goal}`,
    );
  };
  console.log(`dashboard of ${rows} rows in Chromium`);
  line('first paint', paintMs, 'at most 1000 ms');
  line('rows drawn', firstMs, 'at most 1000 ms');
  line(`a key in the filter, until the frame is drawn (${keysMs.length} keys)`, keysMs, 'at most 50 ms');
  if (browser.complaints.length > 0) console.log(browser.complaints.join('\n'));
} finally {
  await browser.close();
  hub.kill('SIGTERM');
  await hub.exited;
  cluster.kill();
}
