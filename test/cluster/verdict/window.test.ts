import { expect, test } from 'bun:test';
import { type RoleWindow, roleWindowSchema, type Scrape, scrapeOf, windowOf } from '../../../src/cluster/index.ts';

/** What a pod has counted, as its page says it. */
interface Counted {
  readonly ok?: number;
  readonly failed?: number;
  readonly setosa?: number;
  readonly memory?: number;
}

function page({ ok = 0, failed = 0, setosa = 0, memory = 1e8 }: Counted): string {
  const requests = (route: string, code: string, count: number) =>
    `inlay_request_duration_seconds_bucket{route="${route}",code="${code}",le="0.001"} 0
inlay_request_duration_seconds_bucket{route="${route}",code="${code}",le="+Inf"} ${count}
`;
  return `# TYPE inlay_request_duration_seconds histogram
${requests('/health/ready', '200', 5000)}${requests('/predict', '200', ok)}${requests('/predict', '500', failed)}# TYPE inlay_answer_duration_seconds histogram
inlay_answer_duration_seconds_bucket{le="0.001"} ${Math.floor(ok / 2)}
inlay_answer_duration_seconds_bucket{le="0.002"} ${ok}
inlay_answer_duration_seconds_bucket{le="+Inf"} ${ok}
# TYPE inlay_predictions_total counter
inlay_predictions_total{label="setosa"} ${setosa}
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes ${memory}
`;
}
const scrape = (pod: string, seconds: number, counted: Counted): Scrape => scrapeOf(pod, seconds * 1000, page(counted));
const broken = (pod: string, seconds: number): Scrape => ({
  pod,
  at: seconds * 1000,
  unreadable: 'connection refused',
});

test('a window is what all pods counted between two scrapes, on routes that ask the model', () => {
  const window = windowOf(
    [scrape('a', 0, { ok: 100, failed: 1, setosa: 10 }), scrape('b', 1, { ok: 1000 })],
    [scrape('a', 60, { ok: 150, failed: 3, setosa: 25 }), scrape('b', 61, { ok: 1100 })],
    { memoryLimitBytes: 3e8, restarts: [{ pod: 'a', reason: 'Error', exitCode: 1 }] },
  );
  expect(window).toEqual({
    schemaVersion: 1,
    pods: 2,
    seconds: 61,
    requests: 152,
    failed: 2,
    gone: 0,
    refused: {},
    latency: { bounds: [0.001, 0.002], counts: [75, 75, 0] },
    nonFinite: 0,
    labels: { setosa: 15 },
    rejected: {},
    spread: { labelShift: 0, refused: 0 },
    memory: [
      { pod: 'a', bytes: 1e8 },
      { pod: 'b', bytes: 1e8 },
    ],
    memoryLimitBytes: 3e8,
    restarts: [{ pod: 'a', reason: 'Error', exitCode: 1 }],
    unreadable: [],
  });
});

test('what was started anew counts from zero again', () => {
  const [before, between, after] = [{ ok: 100 }, { ok: 160 }, { ok: 20 }];
  expect(windowOf([scrape('a', 0, before)], [scrape('a', 60, after)]).requests).toBe(20);
  expect(
    windowOf([scrape('a', 0, before)], [scrape('a', 60, after)], { between: [[scrape('a', 30, between)]] }).requests,
  ).toBe(80);
});

test('one counter that fell says that all began anew', () => {
  const window = windowOf([scrape('a', 0, { ok: 10, setosa: 50 })], [scrape('a', 60, { ok: 30, setosa: 40 })]);
  expect([window.requests, window.labels]).toEqual([30, { setosa: 40 }]);
});

test('a pod that came counts from zero, one that went up to where it was last seen', () => {
  const window = windowOf([scrape('went', 0, { ok: 100 })], [scrape('came', 60, { ok: 7 })], {
    between: [[scrape('went', 20, { ok: 130 })], [scrape('went', 40, { ok: 140 }), scrape('came', 40, { ok: 2 })]],
  });
  expect([window.pods, window.requests, window.unreadable]).toEqual([2, 47, []]);
});

test('a pod that cannot be read at the end counts up to where it could, and is told of', () => {
  const window = windowOf([scrape('a', 0, { ok: 100 })], [broken('a', 60)], {
    between: [[scrape('a', 30, { ok: 130 })]],
  });
  expect([window.requests, window.unreadable]).toEqual([30, [{ pod: 'a', why: 'connection refused' }]]);
});

test('a pod that could not be read at the start counts from where it could: it has not just begun', () => {
  const window = windowOf([broken('a', 0)], [scrape('a', 60, { ok: 5030 })], {
    between: [[scrape('a', 30, { ok: 5000 })]],
  });
  expect([window.requests, window.unreadable.map(({ pod }) => pod)]).toEqual([30, ['a']]);
});

test('a pod that was there but not asked at the start counts from where it was first read', () => {
  const window = windowOf([], [scrape('a', 60, { ok: 5030 })], {
    between: [[scrape('a', 30, { ok: 5000 })]],
    there: ['a'],
  });
  expect([window.requests, window.unreadable]).toEqual([30, []]);
});

test('a page that fails in between is made up for by the next', () => {
  const window = windowOf([scrape('a', 0, { ok: 100 })], [scrape('a', 60, { ok: 150 })], {
    between: [[broken('a', 30)]],
  });
  expect([window.requests, window.unreadable]).toEqual([50, []]);
});

test('memory is the most that a pod ever held', () => {
  const window = windowOf([scrape('a', 0, { memory: 1 })], [scrape('a', 60, { memory: 2 })], {
    between: [[scrape('a', 30, { memory: 3 })]],
  });
  expect(window.memory).toEqual([{ pod: 'a', bytes: 3 }]);
});

test('nothing scraped is an empty window', () => {
  const { pods, seconds, requests } = windowOf([], []);
  expect([pods, seconds, requests]).toEqual([0, 0, 0]);
});

test('a page of another server is unreadable, with why', () => {
  expect(scrapeOf('a', 0, '# TYPE http_requests_total counter\nhttp_requests_total 5\n')).toHaveProperty('unreadable');
  expect(scrapeOf('a', 0, '<html>')).toHaveProperty('unreadable');
  expect(scrapeOf('a', 0, page({}))).toHaveProperty('page');
});

test('numbers that no counter has are left out, and labels may be called anything', () => {
  const text = (more: string) => `# TYPE inlay_answer_duration_seconds histogram\n${more}`;
  const window = windowOf(
    [],
    [
      scrapeOf(
        'a',
        0,
        text(`inlay_predictions_total{label="__proto__"} 3
inlay_predictions_total{label="x"} NaN
inlay_predictions_total{label="y"} -4
inlay_nonfinite_outputs_total +Inf
inlay_answer_duration_seconds_bucket{le="oops"} 3
inlay_answer_duration_seconds_bucket{le="0.002"} 5
inlay_answer_duration_seconds_bucket{le="0.001"} 9
inlay_answer_duration_seconds_bucket 9
`),
      ),
    ],
  );
  expect(Object.entries(window.labels)).toEqual([['__proto__', 3]]);
  expect(window.nonFinite).toBe(0);
  expect(window.latency).toEqual({ bounds: [0.001, 0.002], counts: [9, 0, 0] });
});

test('a window comes back from the journal as it was', () => {
  const window: RoleWindow = windowOf(
    [scrape('a', 0, { ok: 100, setosa: 1 })],
    [scrape('a', 60, { ok: 200, setosa: 5 }), broken('b', 60)],
    { restarts: [{ pod: 'a' }] },
  );
  expect(roleWindowSchema.parse(JSON.parse(JSON.stringify(window)))).toEqual(window);
  expect(roleWindowSchema.safeParse({ ...window, schemaVersion: 2 }).success).toBe(false);
  expect(roleWindowSchema.safeParse({ ...window, latency: { bounds: [1], counts: [1] } }).success).toBe(false);
});

test('pods of one role that get different requests are told apart, beyond noise', () => {
  const text = (a: number, b: number, refused: number) => `# TYPE inlay_answer_duration_seconds histogram
inlay_predictions_total{label="a"} ${a}
inlay_predictions_total{label="b"} ${b}
inlay_request_duration_seconds_bucket{route="/predict",code="200",le="+Inf"} ${a + b}
inlay_request_duration_seconds_bucket{route="/predict",code="400",le="+Inf"} ${refused}
`;
  const spread = (...pods: readonly (readonly [number, number, number])[]) =>
    windowOf(
      [],
      pods.map((counts, at) => scrapeOf(`pod-${at}`, 0, text(...counts))),
    ).spread;
  expect(spread([1000, 1000, 0], [1010, 990, 3])).toEqual({ labelShift: 0, refused: 0 });
  expect(spread([1000, 0, 0], [500, 500, 0], [400, 600, 1000])).toEqual({
    labelShift: expect.closeTo(0.55, 2),
    refused: expect.closeTo(0.5, 2),
  });
  expect(spread([1000, 0, 0])).toEqual({ labelShift: 0, refused: 0 });
});
