import { expect, test } from 'bun:test';
import type { Tensor } from '../../src/contract/index.ts';
import { type Answers, Batcher, type Feeds, type Job, type Lane, type QueueLimits } from '../../src/engine/index.ts';

const SPEC = { name: 'x', datatype: 'FP32', shape: [-1, 2] } as const;

/** Answers y = x, notes how many rows each run had, and refuses rows that start with 13. */
class MirrorLane implements Lane {
  readonly runs: number[] = [];
  readonly #later: boolean;

  constructor(later = false) {
    this.#later = later;
  }

  run(feeds: Feeds): Answers | Promise<Answers> {
    const x = feeds.x as Tensor;
    this.runs.push(x.shape[0] as number);
    const data = x.data as Float32Array;
    for (let i = 0; i < data.length; i += x.shape[1] as number)
      if (data[i] === 13) {
        const error = new Error('thirteen');
        if (this.#later) return Promise.reject(error);
        throw error;
      }
    const answers = { y: { ...x, data: data.slice() } };
    return this.#later ? Bun.sleep(1).then(() => answers) : answers;
  }
}

/** A job, and what becomes of it: the rows that it gets, or the error's message. */
function ask(): { job: Job; outcome: Promise<number[] | string> } {
  const { promise, resolve } = Promise.withResolvers<number[] | string>();
  const job: Job = {
    feeds: undefined,
    rows: 0,
    since: 0,
    gone: () => false,
    done(answers, from, alone) {
      const { data, shape } = answers.y as Tensor;
      const width = shape[1] as number;
      const rows = alone ? (shape[0] as number) : this.rows;
      resolve([...(data as Float32Array).slice(from * width, (from + rows) * width)]);
    },
    fail: (error) => resolve((error as Error).message),
  };
  return { job, outcome: promise };
}

function staged(batcher: Batcher, values: readonly number[]): Promise<number[] | string> {
  const { job, outcome } = ask();
  const { stage, at } = batcher.room(values.length);
  (stage as Float32Array).set(values, at);
  batcher.commit(values.length / 2, job);
  return outcome;
}

function given(batcher: Batcher, values: readonly number[], width = 2): Promise<number[] | string> {
  const { job, outcome } = ask();
  const rows = values.length / width;
  batcher.add({ x: { datatype: 'FP32', shape: [rows, width], data: Float32Array.from(values) } }, rows, job);
  return outcome;
}

const ENDLESS = { maxRows: 1e9, maxRequestRows: 1e9, maxWaitMs: 1e9 };
const batcherOn = (lane: Lane, maxRows = 128, limits: QueueLimits = ENDLESS) =>
  new Batcher({ lanes: [lane], names: ['y'], maxRows, staged: SPEC, limits });

test('what comes in one turn goes in one run, and each gets its own rows', async () => {
  const lane = new MirrorLane();
  const batcher = batcherOn(lane);
  const outcomes = [staged(batcher, [1, 2]), staged(batcher, [3, 4, 5, 6]), staged(batcher, [7, 8])];
  expect(batcher.queuedRows).toBe(4);
  expect(await Promise.all(outcomes)).toEqual([
    [1, 2],
    [3, 4, 5, 6],
    [7, 8],
  ]);
  expect(lane.runs).toEqual([4]);
  expect(await staged(batcher, [9, 9])).toEqual([9, 9]);
});

test('no more rows together than were proven; more in one request are its own', async () => {
  const lane = new MirrorLane();
  const batcher = batcherOn(lane, 2);
  const ten = Array.from({ length: 20 }, (_, i) => i + 100);
  const outcomes = [staged(batcher, [1, 1]), staged(batcher, [2, 2]), staged(batcher, [3, 3]), staged(batcher, ten)];
  expect((await Promise.all(outcomes)).flat()).toEqual([1, 1, 2, 2, 3, 3, ...ten]);
  expect(lane.runs).toEqual([2, 1, 10]);
});

test('rows that may not be together go one by one', async () => {
  const lane = new MirrorLane();
  const batcher = batcherOn(lane, 1);
  await Promise.all([given(batcher, [1, 1]), given(batcher, [2, 2]), given(batcher, [3, 3])]);
  expect(lane.runs).toEqual([1, 1, 1]);
});

test('inputs of another shape do not share a run', async () => {
  const lane = new MirrorLane();
  const batcher = batcherOn(lane);
  const outcomes = [given(batcher, [1, 1]), given(batcher, [2, 2, 2], 3), given(batcher, [3, 3, 3], 3)];
  expect(await Promise.all(outcomes)).toEqual([
    [1, 1],
    [2, 2, 2],
    [3, 3, 3],
  ]);
  expect(lane.runs).toEqual([1, 2]);
});

test.each([
  ['on this thread', false],
  ['on another', true],
])('one that spoils the run does not spoil it for others, %s', async (_, later) => {
  const lane = new MirrorLane(later);
  const batcher = batcherOn(lane);
  const outcomes = [staged(batcher, [1, 2]), staged(batcher, [13, 0]), staged(batcher, [5, 6])];
  expect(await Promise.all(outcomes)).toEqual([[1, 2], 'thirteen', [5, 6]]);
  expect(await staged(batcher, [7, 7])).toEqual([7, 7]);
});

test('rows that come while a lane is busy wait, then go together', async () => {
  const lane = new MirrorLane(true);
  const batcher = batcherOn(lane);
  const first = staged(batcher, [1, 1]);
  await new Promise(setImmediate);
  const rest = [staged(batcher, [2, 2]), staged(batcher, [3, 3]), given(batcher, [4, 4])];
  expect(await Promise.all([first, ...rest])).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
  ]);
  expect(lane.runs.toSorted()).toEqual([1, 1, 2]);
});

test('an answer that cannot be taken fails its own request', async () => {
  const batcher = batcherOn(new MirrorLane());
  const { job, outcome } = ask();
  job.done = () => {
    throw new Error('not finite');
  };
  const { stage, at } = batcher.room(2);
  (stage as Float32Array).set([1, 1], at);
  batcher.commit(1, job);
  expect(await Promise.all([outcome, staged(batcher, [2, 2])])).toEqual(['not finite', [2, 2]]);
});

test('a stage that has to grow keeps what is in it', async () => {
  const batcher = batcherOn(new MirrorLane(), 100_000);
  const large = Array.from({ length: 4000 }, (_, i) => i);
  const outcomes = [staged(batcher, [1, 2]), staged(batcher, large), staged(batcher, [3, 4])];
  expect((await Promise.all(outcomes)).flat()).toEqual([1, 2, ...large, 3, 4]);
});

test('a full queue refuses at once; what it took is answered', async () => {
  const lane = new MirrorLane(true);
  const batcher = batcherOn(lane, 1, { maxRows: 2, maxRequestRows: 1e9, maxWaitMs: 1e9 });
  const outcomes = [staged(batcher, [1, 1]), staged(batcher, [2, 2]), staged(batcher, [3, 3]), given(batcher, [4, 4])];
  const [one, two, three, four] = await Promise.all(outcomes);
  expect([one, two]).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect([three, four]).toEqual([expect.stringContaining('2 rows wait'), expect.stringContaining('2 rows wait')]);
  expect(await staged(batcher, [5, 5])).toEqual([5, 5]);
});

test('who has waited too long is refused before the run', async () => {
  const lane = new MirrorLane(true);
  const batcher = batcherOn(lane, 128, { maxRows: 100, maxRequestRows: 1e9, maxWaitMs: 30 });
  const first = staged(batcher, [1, 1]);
  await new Promise(setImmediate);
  const late = staged(batcher, [2, 2]);
  // The lane is busy for a millisecond; this thread is kept busy for longer than anybody may wait.
  const until = performance.now() + 50;
  while (performance.now() < until);
  expect(await first).toEqual([1, 1]);
  expect(await late).toContain('waited for longer than 30 ms');
});

test('who has gone is dropped before the run', async () => {
  const lane = new MirrorLane(true);
  const batcher = batcherOn(lane);
  const { job, outcome } = ask();
  job.gone = () => true;
  const second = staged(batcher, [3, 3]);
  await new Promise(setImmediate);
  const { stage, at } = batcher.room(2);
  (stage as Float32Array).set([4, 4], at);
  batcher.commit(1, job);
  const third = staged(batcher, [5, 5]);
  const later = performance.now() + 10;
  while (performance.now() < later);
  expect(await Promise.all([second, outcome, third])).toEqual([
    [3, 3],
    'the client went away before its request was run',
    [5, 5],
  ]);
  expect(lane.runs.at(-1)).toBe(1);
});

/** Drops rows that start with a negative number, as a model does that filters. */
class FilterLane implements Lane {
  readonly runs: number[] = [];

  run(feeds: Feeds): Answers {
    const x = feeds.x as Tensor;
    const [rows = 0, width = 0] = x.shape;
    this.runs.push(rows);
    const data = x.data as Float32Array;
    const kept = Array.from({ length: rows }, (_, row) => row).filter((row) => (data[row * width] as number) >= 0);
    const values = kept.flatMap((row) => [...data.slice(row * width, (row + 1) * width)]);
    return { y: { datatype: 'FP32', shape: [kept.length, width], data: Float32Array.from(values) } };
  }
}

test('where a run answers another number of rows than it took, nobody gets the row of another, then or later', async () => {
  const lane = new FilterLane();
  let refuted = 0;
  const options = { lanes: [lane], names: ['y'], maxRows: 64, staged: SPEC, limits: ENDLESS };
  const batcher = new Batcher({ ...options, refuted: () => refuted++ });
  const together = (values: readonly (readonly number[])[]) => Promise.all(values.map((row) => staged(batcher, row)));
  expect(
    await together([
      [1, 1],
      [2, 2],
    ]),
  ).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(
    await together([
      [1, 1],
      [-5, 2],
      [3, 3],
      [4, 4, 5, 5],
    ]),
  ).toEqual([[1, 1], [], [3, 3], [4, 4, 5, 5]]);
  expect(
    await together([
      [6, 6],
      [7, 7],
    ]),
  ).toEqual([
    [6, 6],
    [7, 7],
  ]);
  expect(refuted).toBe(1);
  expect(lane.runs).toEqual([2, 5, 1, 1, 1, 2, 1, 1]);
});
