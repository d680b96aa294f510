import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './inlay.ts';

// Debian's Prometheus scrapes a server, and the rules of docs/alerts.yml fire and rest as they should.

const WAIT_MS = 60_000;
let dir: string;
let server: Bun.Subprocess<'ignore', 'pipe', 'inherit'>;
let prometheus: Bun.Subprocess;
let url: string;
let api: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-prometheus-'));
  server = Bun.spawn([join(ROOT, 'bin', 'inlay'), 'serve', join(ROOT, 'examples', 'iris'), '--port', '0'], {
    env: { ...process.env, DRAIN_S: '0' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const { value } = await server.stdout.getReader().read();
  url = /http:\/\/\S+/.exec(new TextDecoder().decode(value))?.[0] ?? '';
  const port = freePort();
  api = `http://127.0.0.1:${port}`;
  writeFileSync(
    join(dir, 'prometheus.yml'),
    `global: {scrape_interval: 500ms, evaluation_interval: 500ms}
rule_files: [${join(ROOT, 'docs', 'alerts.yml')}]
scrape_configs:
  - job_name: inlay
    static_configs: [{targets: ['${new URL(url).host}']}]
`,
  );
  prometheus = Bun.spawn(
    [
      ...['prometheus', `--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`],
      ...[`--web.listen-address=127.0.0.1:${port}`, '--log.level=error'],
    ],
    { stdin: 'ignore', stdout: 'ignore', stderr: 'inherit' },
  );
});
afterAll(async () => {
  for (const child of [prometheus, server]) child?.kill();
  await Promise.all([prometheus?.exited, server?.exited]);
  rmSync(dir, { recursive: true, force: true });
});

function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

async function ask(path: string): Promise<{ data?: unknown }> {
  return fetch(api + path)
    .then((response) => response.json() as Promise<{ data?: unknown }>)
    .catch(() => ({}));
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + WAIT_MS;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await Bun.sleep(250);
  }
  throw new Error(`not in ${WAIT_MS} ms: ${what}`);
}

async function sampleOf(query: string): Promise<number | undefined> {
  const { data } = await ask(`/api/v1/query?query=${encodeURIComponent(query)}`);
  const [sample] = (data as { result?: { value: [number, string] }[] } | undefined)?.result ?? [];
  return sample && Number(sample.value[1]);
}

async function alertsFiring(): Promise<string[]> {
  const { data } = await ask('/api/v1/alerts');
  const alerts = (data as { alerts?: { labels: { alertname: string }; state: string }[] } | undefined)?.alerts ?? [];
  return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
}

test('promtool finds nothing wrong with the page', async () => {
  await fetch(`${url}/predict`, { method: 'POST', body: '{"data":[[5.1,3.5,1.4,0.2]]}' });
  const page = await (await fetch(`${url}/metrics`)).text();
  const tool = Bun.spawn(['promtool', 'check', 'metrics'], { stdin: new Blob([page]), stdout: 'pipe', stderr: 'pipe' });
  const said = (await new Response(tool.stdout).text()) + (await new Response(tool.stderr).text());
  expect([await tool.exited, said]).toEqual([0, '']);
});

test('each rule fires on what it is for, and none on a server that does well', async () => {
  const tool = Bun.spawn(['promtool', 'test', 'rules', join(import.meta.dir, 'alerts.test.yml')], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const said = (await new Response(tool.stdout).text()) + (await new Response(tool.stderr).text());
  expect([await tool.exited, said.includes('FAILED')]).toEqual([0, false]);
  const rules = readFileSync(join(ROOT, 'docs', 'alerts.yml'), 'utf8').matchAll(/alert: (\w+)/g);
  const tried = readFileSync(join(import.meta.dir, 'alerts.test.yml'), 'utf8');
  for (const [, name] of rules) expect(tried).toContain(`alertname="${name}"`);
});

test('what was predicted arrives, and no rule fires without a cause', async () => {
  for (let i = 0; i < 5; i++) await fetch(`${url}/predict`, { method: 'POST', body: '{"data":[[6.5,3,5.2,2]]}' });
  const seen = await until('5 virginicas', async () => {
    const value = await sampleOf('sum(inlay_predictions_total{label="virginica"})');
    return value !== undefined && value >= 5 ? value : undefined;
  });
  expect(seen).toBe(5);
  expect(await alertsFiring()).toEqual([]);
}, 90_000);

test('requests that fail make the rule fire', async () => {
  const noise = setInterval(() => void fetch(`${url}/predict`, { method: 'POST', body: 'x' }), 100);
  try {
    await until('InlayRequestsRefused fires', async () =>
      (await alertsFiring()).includes('InlayRequestsRefused') ? true : undefined,
    );
  } finally {
    clearInterval(noise);
  }
}, 90_000);
