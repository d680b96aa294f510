import { afterAll, beforeAll, expect, test } from 'bun:test';
import { judge, scrapeOf, windowOf } from '../../../src/cluster/index.ts';
import { type serveEngine, serveReference } from '../../server/serving.ts';
import { LIMITS } from './windows.ts';

const ROW = '{"data":[[5.1,3.5,1.4,0.2]]}';
const OIP = JSON.stringify({
  inputs: [{ name: 'float_input', datatype: 'FP32', shape: [1, 4], data: [6.5, 3, 5.2, 2] }],
});
type Served = Awaited<ReturnType<typeof serveReference>>;
type Around = NonNullable<Parameters<typeof serveEngine>[3]>;

/** A model that takes long for each run: 30 ms of sleep before what it does. */
const slowed: Around = (lane) => ({
  ...lane,
  run: async (...given: Parameters<typeof lane.run>) => {
    await Bun.sleep(30);
    return lane.run(...given);
  },
});

let stable: Served;
let slow: Served;
beforeAll(async () => {
  stable = await serveReference();
  // On a busy machine the last of twenty would wait longer than the default allows, and be refused.
  slow = await serveReference({ maxQueueMs: 60_000 }, slowed);
});
afterAll(async () => {
  await stable.server.close();
  await slow.server.close();
});

const scrape = async ({ url }: Served) => scrapeOf('pod', Date.now(), await (await fetch(`${url}/metrics`)).text());
const ask = (served: Served, path: string, body: string) =>
  fetch(served.url + path, { method: 'POST', body }).then((answer) => answer.arrayBuffer());

async function load(served: Served, requests: number): Promise<void> {
  for (let at = 0; at < requests; at += 20)
    await Promise.all(Array.from({ length: 20 }, () => ask(served, '/predict', ROW)));
}

test("the server's own page is a window: requests by what became of them, labels, times, memory", async () => {
  const before = await scrape(stable);
  await Promise.all([
    ask(stable, '/predict', ROW),
    ask(stable, '/predict/label', ROW),
    ask(stable, '/v2/models/iris/infer', OIP),
    ask(stable, '/predict', 'nonsense'),
    ask(stable, '/predict', '{"data":[[1]]}'),
    ask(stable, '/v2/models/iris/versions/0.0.2/infer', OIP),
    fetch(`${stable.url}/predict/test`),
    fetch(`${stable.url}/health/ready`),
    fetch(`${stable.url}/metadata`),
    fetch(`${stable.url}/nowhere`),
  ]);
  const window = windowOf([before], [await scrape(stable)], { memoryLimitBytes: 2 ** 40 });
  expect(window).toMatchObject({ pods: 1, requests: 7, failed: 0, nonFinite: 0, unreadable: [] });
  expect(window.refused).toEqual({ '/predict': 2, '/v2/models/{name}/versions/{version}/infer': 1 });
  expect(window.latency.counts.reduce((sum, count) => sum + count)).toBe(4);
  expect(window.labels).toEqual({ setosa: 3, versicolor: 0, virginica: 1 });
  expect(window.rejected).toMatchObject({ body_invalid: 1, input_invalid: 1 });
  expect(window.memory[0]?.bytes).toBeGreaterThan(1e6);
});

test('a model that became slow is told from one that is as before', async () => {
  const before = [await scrape(stable), await scrape(slow)] as const;
  await load(stable, 400);
  await load(slow, 40);
  const [reference, canary] = [
    windowOf([before[0]], [await scrape(stable)]),
    windowOf([before[1]], [await scrape(slow)]),
  ];
  expect(judge({ stable: reference, canary: reference, limits: LIMITS }).outcome).toBe('pass');
  const p99 = judge({ stable: reference, canary, limits: LIMITS }).reasons.find(({ metric }) => metric === 'p99');
  // Each of its requests has waited 30 ms at least, however busy the machine is.
  expect(p99?.canary).toBeGreaterThan(0.025);
  expect(p99?.sample).toEqual({ stable: 400, canary: 40 });
});
