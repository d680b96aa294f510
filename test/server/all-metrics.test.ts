import { afterAll, expect, test } from 'bun:test';
import { AllMetrics } from '../../src/server/all-metrics.ts';
import { Metrics, type MetricsValues } from '../../src/server/metrics.ts';

const worker = new Worker(new URL('./busy-thread.ts', import.meta.url));
const end = new Int32Array(new SharedArrayBuffer(4));
afterAll(() => {
  Atomics.store(end, 0, 1);
  Atomics.notify(end, 0);
  worker.terminate();
});
const said = (word: string) =>
  new Promise<void>((resolve) => {
    worker.onmessage = ({ data }) => {
      if (data === word) resolve();
    };
  });
const answers = (all: readonly MetricsValues[]) =>
  all
    .flatMap(({ requests }) => Object.values(requests).flatMap(({ counts }) => counts))
    .reduce((sum, one) => sum + one, 0);

test('a thread that is too busy to answer a scrape counts as it last did, so that no counter falls', async () => {
  await said('ready');
  const metrics = new Metrics();
  const all = new AllMetrics(metrics, 2);
  metrics.requestsOf('/predict', 200)(0.001);
  expect(answers(await all.collect())).toBe(4);
  const busy = said('busy');
  worker.postMessage(end.buffer);
  await busy;
  metrics.requestsOf('/predict', 200)(0.001);
  expect(answers(await all.collect())).toBe(5);
  all.close();
});
