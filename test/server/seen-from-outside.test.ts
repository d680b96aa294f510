import { afterAll, beforeAll, expect, test } from 'bun:test';
import { SETOSA, serveReference } from './serving.ts';

const BODY = '{"data":[[5.1,3.5,1.4,0.2]]}';
let served: Awaited<ReturnType<typeof serveReference>>;
beforeAll(async () => {
  served = await serveReference({
    accessLog: true,
    maxConnectionAgeMs: 0,
  });
});
afterAll(async () => {
  await served.server.close();
});
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${served.url}/predict`, { method: 'POST', body, headers });

test('every answer names the model, and gives a request its id back', async () => {
  const answers = [
    await post(BODY, { 'x-request-id': 'abc' }),
    await post('nonsense', { 'x-request-id': 'abc' }),
    await fetch(`${served.url}/health`, { headers: { 'x-request-id': 'abc' } }),
    await fetch(`${served.url}/nowhere`, { headers: { 'x-request-id': 'abc' } }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 200, 404]);
  for (const { headers } of answers) {
    expect(headers.get('inlay-model')).toMatch(/^iris:0\.0\.1@sha256:[0-9a-f]{64}$/);
    expect(headers.get('x-request-id')).toBe('abc');
    expect(headers.get('content-type')).toContain('application/json');
  }
});

test('/metrics counts requests by route and code, runs, labels and refusals', async () => {
  await post('{"data":[[5.1,3.5,1.4,0.2],[6.5,3,5.2,2]]}');
  await post('{"data":[[1]]}');
  const page = await (await fetch(`${served.url}/metrics`)).text();
  const value = (sample: string) =>
    Number(
      page
        .split('\n')
        .find((line) => line.startsWith(`${sample} `))
        ?.slice(sample.length + 1),
    );
  expect(value('inlay_request_duration_seconds_count{route="/predict",code="200"}')).toBeGreaterThanOrEqual(1);
  expect(value('inlay_request_duration_seconds_bucket{route="/predict",code="200",le="+Inf"}')).toBe(
    value('inlay_request_duration_seconds_count{route="/predict",code="200"}'),
  );
  expect(value('inlay_request_duration_seconds_count{route="/predict",code="400"}')).toBeGreaterThanOrEqual(1);
  // All answers together, in buckets that are finer than those by route and code.
  expect(value('inlay_answer_duration_seconds_bucket{le="+Inf"}')).toBe(
    [...page.matchAll(/^inlay_request_duration_seconds_count\{route="\/predict[^"]*",code="200"\} (\d+)$/gm)]
      .map(([, count]) => Number(count))
      .reduce((sum, count) => sum + count, 0),
  );
  expect([...page.matchAll(/^inlay_answer_duration_seconds_bucket/gm)].length).toBe(52);
  expect([...page.matchAll(/^inlay_request_duration_seconds_bucket\{route="\/predict",code="200"/gm)].length).toBe(17);
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(value('inlay_memory_held_bytes'));
  expect(value('inlay_memory_held_bytes')).toBeGreaterThan(1e6);
  expect(value('inlay_predictions_total{label="setosa"}')).toBeGreaterThanOrEqual(1);
  expect(value('inlay_predictions_total{label="virginica"}')).toBe(1);
  expect(value('inlay_rejected_total{reason="input_invalid"}')).toBeGreaterThanOrEqual(1);
  expect(value('inlay_batch_rows_bucket{le="1"}')).toBeLessThan(value('inlay_batch_rows_count'));
  expect(page).toMatch(
    /^inlay_model_info\{name="iris",version="0\.0\.1",digest="sha256:[0-9a-f]{64}",inlay="[^"]+"\} 1$/m,
  );
  // Every family is announced before its samples, once.
  const families = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(families).size).toBe(families.length);
});

test('the access log ties a request to its trace', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  await post(BODY, { traceparent: `00-${trace}-00f067aa0ba902b7-01`, 'x-request-id': 'with-trace' });
  const line = served.log.find((one) => one.includes('requestId=with-trace'));
  expect(line).toContain(`traceId=${trace}`);
  expect(line).toContain('route=/predict status=200');
});

test('old connections are closed behind an answer, young ones are not', async () => {
  const { server, url } = await serveReference({ maxConnectionAgeMs: 300 });
  const agent = { keepalive: true };
  const closes: boolean[] = [];
  for (let i = 0; i < 12; i++) {
    const response = await fetch(`${url}/predict`, { method: 'POST', body: BODY, ...agent });
    closes.push(response.headers.get('connection') === 'close');
    expect(await response.json()).toEqual({ prediction: SETOSA });
    await Bun.sleep(50);
  }
  expect(closes[0]).toBe(false);
  expect(closes.filter(Boolean).length).toBeGreaterThanOrEqual(1);
  expect(closes.filter(Boolean).length).toBeLessThanOrEqual(4);
  await server.close();
});
