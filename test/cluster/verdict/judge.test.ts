import { describe, expect, test } from 'bun:test';
import {
  decide,
  failsAlready,
  judge,
  judgeBake,
  type Limits,
  type Metric,
  minimumRequests,
  type RoleWindow,
} from '../../../src/cluster/index.ts';
import { healthy, LIMITS, latencyOf } from './windows.ts';

const verdictOf = (canary: RoleWindow, stable: RoleWindow, limits: Partial<Limits> = {}) =>
  judge({ stable, canary, limits: { ...LIMITS, ...limits } });
const reasonOf = (metric: Metric, ...question: Parameters<typeof verdictOf>) => {
  const found = verdictOf(...question).reasons.find((reason) => reason.metric === metric);
  if (!found) throw new Error(`no ${metric}`);
  return found;
};
const outcomeOf = (metric: Metric, ...question: Parameters<typeof verdictOf>) => reasonOf(metric, ...question).outcome;
const early = (canary: RoleWindow, stable: RoleWindow, limits: Partial<Limits> = {}) =>
  failsAlready({ stable, canary, limits: { ...LIMITS, ...limits } })?.outcome;
const slow = (requests: number, seconds: number, others = 0) =>
  healthy(requests + others, {
    latency: latencyOf([...new Array<number>(requests).fill(seconds), ...new Array<number>(others).fill(0.0012)]),
  });

test('a canary like stable passes, and each metric is evidence', () => {
  const labels = { setosa: 1000, virginica: 1496 };
  const verdict = verdictOf(healthy(2496, { labels }), healthy(9984, { labels: { setosa: 4000, virginica: 5984 } }));
  expect(verdict.outcome).toBe('pass');
  expect(verdict.reasons.map(({ metric, outcome }) => [metric, outcome])).toEqual([
    ['requests', 'pass'],
    ['errorRate', 'pass'],
    ['p99', 'pass'],
    ['nonFinite', 'pass'],
    ['labelShift', 'pass'],
    ['refused', 'pass'],
    ['restarts', 'pass'],
    ['memory', 'pass'],
  ]);
});

describe('errors', () => {
  test('one failure of three requests does not end a release, three of three do', () => {
    expect(verdictOf(healthy(3, { failed: 1 }), healthy(1000)).outcome).toBe('inconclusive');
    expect(verdictOf(healthy(3, { failed: 3 }), healthy(1000)).outcome).toBe('fail');
  });

  test('a canary that fails 1 % is found with a limit of 0.5 %', () => {
    const limits = { errorRate: 0.005 };
    expect(outcomeOf('errorRate', healthy(5000, { failed: 50 }), healthy(20_000), limits)).toBe('fail');
    expect(early(healthy(5000, { failed: 50 }), healthy(20_000), limits)).toBe('fail');
    // With fewer requests it is not let through.
    expect(outcomeOf('errorRate', healthy(1000, { failed: 10 }), healthy(4000), limits)).toBe('inconclusive');
  });

  test("stable's own failures are not the canary's fault", () => {
    expect(outcomeOf('errorRate', healthy(2000, { failed: 100 }), healthy(8000, { failed: 400 }))).toBe('pass');
    expect(outcomeOf('errorRate', healthy(2000, { failed: 100 }), healthy(8000))).toBe('fail');
  });

  test('an excess beyond the limit that chance makes often enough passes', () => {
    // 11 of 300 beside 2 %: 1.7 points more, but about one window in twelve is like that.
    expect(outcomeOf('errorRate', healthy(300, { failed: 10 }), healthy(1200, { failed: 24 }))).toBe('pass');
  });

  test('the reason names what the server says of the failures', () => {
    const rejected = { overloaded: 190, input_invalid: 800 };
    const reason = reasonOf('errorRate', healthy(2000, { failed: 200, rejected }), healthy(8000));
    expect(reason).toMatchObject({ outcome: 'fail', stable: 0, canary: 0.1, limit: 0.01 });
    expect(reason.sample).toEqual({ stable: 8000, canary: 2000 });
    expect(reason.note).toContain('overloaded');
  });
});

describe('p99', () => {
  test('20 times slower is found, early too, with a dozen requests', () => {
    expect(outcomeOf('p99', slow(12, 0.024), slow(200, 0.0012))).toBe('fail');
    expect(early(slow(12, 0.024), slow(200, 0.0012))).toBe('fail');
  });

  test('a slow tail is found: 3 % of the requests', () => {
    expect(outcomeOf('p99', slow(75, 0.02, 2425), slow(10_000, 0.0012))).toBe('fail');
    expect(outcomeOf('p99', slow(15, 0.02, 2485), slow(10_000, 0.0012))).toBe('pass');
  });

  test('differences below a millisecond are nobody’s concern', () => {
    expect(outcomeOf('p99', slow(2500, 0.0009), slow(10_000, 0.0001))).toBe('pass');
    expect(outcomeOf('p99', slow(2500, 0.002), slow(10_000, 0.0001))).toBe('fail');
  });

  test('the first requests of a new pod, whose code is not compiled yet, fail nothing', () => {
    expect(early(slow(6, 0.02, 4), slow(2000, 0.0012))).toBeUndefined();
  });

  test('answers beyond the last bucket are slow, and so are clients that went away', () => {
    expect(outcomeOf('p99', slow(300, 30), slow(1200, 2))).toBe('fail');
    const gone = healthy(300, { gone: 300, latency: latencyOf(new Array<number>(300).fill(5)) });
    expect(outcomeOf('p99', gone, slow(1200, 0.0012))).toBe('fail');
  });

  test('without enough answers of stable there is no measure', () => {
    expect(reasonOf('p99', slow(500, 1), slow(29, 0.001))).toMatchObject({ outcome: 'not-judged', limit: null });
    expect(outcomeOf('p99', healthy(0), slow(290, 0.001))).toBe('not-judged');
  });

  test('buckets of another server version are compared all the same', () => {
    const coarse = { bounds: [0.001, 0.0025, 0.005, 0.025], counts: [0, 2500, 0, 0, 0] };
    expect(outcomeOf('p99', healthy(2500, { latency: coarse }), slow(10_000, 0.0012))).toBe('pass');
    expect(
      outcomeOf('p99', healthy(2500, { latency: { ...coarse, counts: [0, 0, 0, 2500, 0] } }), slow(10_000, 0.0012)),
    ).toBe('fail');
  });
});

describe('outputs that are not finite', () => {
  test('one is worth a look where stable has none, a few are proof', () => {
    expect(outcomeOf('nonFinite', healthy(300, { nonFinite: 1 }), healthy(1200))).toBe('inconclusive');
    expect(outcomeOf('nonFinite', healthy(300, { nonFinite: 5 }), healthy(1200))).toBe('fail');
    expect(early(healthy(300, { nonFinite: 30 }), healthy(1200))).toBe('fail');
  });

  test('a rate like stable’s passes', () => {
    expect(outcomeOf('nonFinite', healthy(1000, { nonFinite: 11 }), healthy(4000, { nonFinite: 40 }))).toBe('pass');
    expect(outcomeOf('nonFinite', healthy(1000, { nonFinite: 30 }), healthy(4000, { nonFinite: 40 }))).toBe('fail');
  });
});

describe('labels', () => {
  const half = { labels: { a: 5000, b: 5000 } };

  test('a shift beyond the limit is inconclusive, never a failure', () => {
    const swapped = healthy(2500, { labels: { a: 2500 } });
    expect(verdictOf(swapped, healthy(10_000, half)).outcome).toBe('inconclusive');
    expect(reasonOf('labelShift', swapped, healthy(10_000, half))).toMatchObject({ canary: 0.5, limit: 0.05 });
    expect(reasonOf('labelShift', swapped, healthy(10_000, half)).note).toContain('a (100.0 % / 50.0 %)');
  });

  test('with few rows a small shift is not judged and a gross one is', () => {
    expect(outcomeOf('labelShift', healthy(400, { labels: { a: 230, b: 170 } }), healthy(10_000, half))).toBe(
      'not-judged',
    );
    expect(outcomeOf('labelShift', healthy(100, { labels: { a: 100 } }), healthy(10_000, half))).toBe('inconclusive');
  });

  test('rows of one request are alike: no more count than there were requests', () => {
    const batches = healthy(100, { labels: { a: 33_000, b: 31_000 } });
    expect(outcomeOf('labelShift', batches, healthy(10_000, half))).toBe('not-judged');
  });

  test('`other` is a label, and so is one that only one of the two has', () => {
    const canary = healthy(5000, { labels: { a: 2500, other: 2500 } });
    expect(reasonOf('labelShift', canary, healthy(10_000, half))).toMatchObject({
      outcome: 'inconclusive',
      canary: 0.5,
    });
    expect(outcomeOf('labelShift', canary, healthy(20_000, { labels: { a: 1e4, other: 1e4 } }))).toBe('pass');
  });

  test('labels that are names of an object’s members are compared like others', () => {
    const odd = Object.fromEntries([
      ['__proto__', 5000],
      ['constructor', 5000],
    ]);
    expect(outcomeOf('labelShift', healthy(1e4, { labels: odd }), healthy(1e4, { labels: odd }))).toBe('pass');
    expect(reasonOf('labelShift', healthy(1e4, { labels: odd }), healthy(1e4, half)).canary).toBe(1);
  });

  test('a canary that is no farther from stable than its pods are from each other is not shifted', () => {
    const stable = (labelShift: number) => healthy(10_000, { ...half, spread: { labelShift, refused: 0 } });
    const canary = healthy(5000, { labels: { a: 3500, b: 1500 } });
    expect([0, 0.1, 0.2].map((spread) => outcomeOf('labelShift', canary, stable(spread)))).toEqual([
      'inconclusive',
      'inconclusive',
      'pass',
    ]);
  });

  test('a model without labels has nothing to shift', () => {
    expect(outcomeOf('labelShift', healthy(5000), healthy(5000))).toBe('not-judged');
    expect(verdictOf(healthy(5000), healthy(5000)).outcome).toBe('pass');
  });
});

describe('refused requests', () => {
  test('a share far from stable’s says that the contract moved, either way', () => {
    const many = { refused: { '/predict': 100 }, rejected: { input_invalid: 100 } };
    expect(outcomeOf('refused', healthy(500, many), healthy(2000))).toBe('inconclusive');
    expect(reasonOf('refused', healthy(500, many), healthy(2000)).note).toContain('input_invalid');
    expect(outcomeOf('refused', healthy(500), healthy(2000, { refused: { '/predict': 600 } }))).toBe('inconclusive');
  });

  test('where one client sends nonsense to one pod of stable, another may to the canary', () => {
    const canary = healthy(500, { refused: { '/predict': 100 } });
    const stable = (refused: number) => healthy(2000, { spread: { labelShift: 0, refused } });
    expect([0.05, 0.2].map((spread) => outcomeOf('refused', canary, stable(spread)))).toEqual(['inconclusive', 'pass']);
  });

  test('a few points are clients', () => {
    expect(outcomeOf('refused', healthy(500, { refused: { '/predict': 20 } }), healthy(2000))).toBe('pass');
  });
});

describe('pods', () => {
  test('a restart fails, with its cause, at once', () => {
    const canary = healthy(10, { restarts: [{ pod: 'iris-canary-x', reason: 'OOMKilled', exitCode: 137 }] });
    expect(early(canary, healthy(1000))).toBe('fail');
    expect(reasonOf('restarts', canary, healthy(1000)).note).toBe('iris-canary-x: OOMKilled, exit code 137');
    expect(verdictOf(healthy(1000), healthy(1000, { restarts: [{ pod: 'a' }] })).outcome).toBe('pass');
  });

  test('memory: the fullest pod counts', () => {
    const pods = (bytes: number) => ({
      memory: [
        { pod: 'a', bytes: 1e8 },
        { pod: 'b', bytes },
        { pod: 'c', bytes: 1e7 },
      ],
    });
    expect(outcomeOf('memory', healthy(1000, pods(2.84e8)), healthy(1000))).toBe('pass');
    expect(reasonOf('memory', healthy(1000, pods(2.91e8)), healthy(1000))).toMatchObject({
      outcome: 'fail',
      canary: 0.97,
      note: 'b holds 97 % of its limit',
    });
    expect(outcomeOf('memory', healthy(1000, { memory: [] }), healthy(1000))).toBe('not-judged');
    expect(outcomeOf('memory', healthy(1000, { memoryLimitBytes: null }), healthy(1000))).toBe('not-judged');
  });

  test('a canary’s pod that cannot be read leaves it open, and is named', () => {
    const canary = healthy(1000, { unreadable: [{ pod: 'iris-canary-x', why: 'connection refused' }] });
    expect(verdictOf(canary, healthy(4000)).outcome).toBe('inconclusive');
    expect(reasonOf('metrics', canary, healthy(4000)).note).toContain(
      'iris-canary-x cannot be read: connection refused',
    );
  });

  test('most of stable’s pods are measure enough', () => {
    const stable = (unreadable: number) =>
      healthy(4000, {
        pods: 4,
        unreadable: Array.from({ length: unreadable }, (_, at) => ({ pod: `iris-${at}`, why: 'gone' })),
      });
    expect([1, 2, 3].map((count) => verdictOf(healthy(1000), stable(count)).outcome)).toEqual([
      'pass',
      'pass',
      'inconclusive',
    ]);
  });
});

describe('traffic', () => {
  test('none on the canary, or too little, is inconclusive', () => {
    expect(outcomeOf('requests', healthy(0), healthy(1000))).toBe('inconclusive');
    expect(verdictOf(healthy(0), healthy(1000)).outcome).toBe('inconclusive');
    expect(verdictOf(healthy(299), healthy(1000)).outcome).toBe('inconclusive');
    expect(verdictOf(healthy(300), healthy(1000)).outcome).toBe('pass');
  });

  test('the least follows from the limit: the rule of three', () => {
    expect([0, 0.0001, 0.001, 0.005, 0.01, 0.05, 1].map((errorRate) => minimumRequests({ errorRate }))).toEqual([
      3000, 3000, 3000, 600, 300, 300, 300,
    ]);
  });

  test('none on stable: the canary is held to the limits alone', () => {
    expect(verdictOf(healthy(1000), healthy(0)).outcome).toBe('pass');
    expect(reasonOf('requests', healthy(1000), healthy(0)).note).toContain('limits alone');
    expect(verdictOf(healthy(1000, { failed: 30 }), healthy(0)).outcome).toBe('fail');
    expect(verdictOf(healthy(1000, { nonFinite: 3 }), healthy(0)).outcome).toBe('fail');
  });

  test('nothing anywhere is no crash and no pass', () => {
    expect(verdictOf(healthy(0, { memory: [] }), healthy(0, { memory: [] })).outcome).toBe('inconclusive');
  });
});

test('a failure beats what is inconclusive', () => {
  const canary = healthy(20, { failed: 20, unreadable: [{ pod: 'x', why: 'y' }] });
  expect(verdictOf(canary, healthy(1000)).outcome).toBe('fail');
});

test('the bake watch holds the new stable to the old one', () => {
  const before = healthy(5000);
  expect(judgeBake({ before, now: healthy(5000), limits: LIMITS }).outcome).toBe('pass');
  expect(judgeBake({ before, now: healthy(5000, { failed: 150 }), limits: LIMITS }).outcome).toBe('fail');
});

test('what follows from a verdict', () => {
  const all = (['pass', 'fail', 'inconclusive'] as const).map((outcome) =>
    (['pause', 'fail', 'pass'] as const).map((onInconclusive) => decide({ outcome }, onInconclusive)),
  );
  expect(all).toEqual([
    ['go-on', 'go-on', 'go-on'],
    ['back-out', 'back-out', 'back-out'],
    ['pause', 'back-out', 'go-on'],
  ]);
});
