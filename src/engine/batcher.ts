import { allocate, type Tensor, type TensorSpec } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { concatRows, fitTogether } from './rows.ts';
import type { Answers, Feeds } from './session.ts';

/** What one request asks for. The batcher sets `feeds` and `rows`. */
export interface Job {
  /** Undefined for rows that are staged. */
  feeds: Feeds | undefined;
  rows: number;
  /** Outputs to compute; undefined for the batcher's own. Jobs that hold the very same list may share a run. */
  readonly names?: readonly string[] | undefined;
  /** When it came, milliseconds of performance.now(); set by the batcher. */
  since: number;
  /** True when nobody waits for the answer any more: it is dropped before it runs. */
  gone(): boolean;
  /** Takes rows `[from, from + this.rows)` of a run's answers, or all of them where it was run alone. */
  done(answers: Answers, from: number, alone: boolean): void;
  fail(error: unknown): void;
}

/** Where runs happen: at once on this thread, or later on another. */
export interface Lane {
  run(feeds: Feeds, names: readonly string[]): Answers | Promise<Answers>;
}

export interface BatcherOptions {
  readonly lanes: readonly Lane[];
  /** Outputs that are computed for jobs that name none. */
  readonly names: readonly string[];
  /** How many rows of several requests may be run together, until `allow` says another: what was proven. 1: none. */
  readonly maxRows: number;
  /** The one input whose rows may be staged, `[-1, width]`; undefined where there is none of that shape. */
  readonly staged: TensorSpec | undefined;
  readonly limits: QueueLimits;
  /** What a row took when it was tried, milliseconds: before there were others. */
  readonly triedRowMs?: number | undefined;
  readonly watch?: BatchWatch | undefined;
  /** Told once, when a run of several requests gave another number of rows than it took: from then on each is run alone. */
  readonly refuted?: (() => void) | undefined;
}

/** How much may wait for a run: beyond it a request is refused at once, rather than answered when nobody waits any more. */
export interface QueueLimits {
  readonly maxRows: number;
  /** Rows of one request. */
  readonly maxRequestRows: number;
  /** How long a request may wait, milliseconds: those that would wait longer are refused when they come. */
  readonly maxWaitMs: number;
}

/** Told of each run. */
export interface BatchWatch {
  /** @param seconds from handing over to the answers */
  ran(rows: number, seconds: number): void;
}

type Numbers = Exclude<Tensor['data'], string[]>;

/** How long runs on this thread may keep it from other work before a turn of the event loop is let through, ms. */
const TURN_MS = 4;
/** Runs of several requests are kept to about this long, ms: a longer one would keep all of them waiting. */
const RUN_MS = 40;
/** A request that has waited for less than this is not asked whether somebody still waits for it, ms. */
const FRESH_MS = 5;
/** Share of the longest wait up to which requests are let in, by what runs took of late. */
const ADMITTED = 0.8;
const FIRST_STAGE = 1024;

/**
 * Runs what requests ask for: everything that came in one turn of the event loop goes together, as far as it was proven
 * that rows do not change each other's answers. When a run of several fails, each is run again alone, so that nobody
 * pays for another's input.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #maxRows: number;
  /** Values a staged row. */
  readonly #width: number;
  readonly #idle: Lane[];
  /** Staged rows, first come first; `#stage` holds their values one after the other. */
  #stagedWaiting: Job[] = [];
  #stage: Numbers;
  #stagedValues = 0;
  #waiting: Job[] = [];
  #scheduled = false;
  #stagedNext = false;
  /** Milliseconds a row, of late. */
  #rowMs = 0;
  #queuedRows = 0;
  #lastFinished = 0;
  #runningRows = 0;
  /** Runs that have ended, well or not. */
  #runs = 0;
  /** When the first of those that came in this turn of the event loop came: near enough for all of them. */
  #turnStarted = 0;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#maxRows = options.maxRows;
    this.#width = options.staged?.shape[1] ?? 0;
    this.#idle = [...options.lanes];
    this.#stage = allocate(options.staged?.datatype ?? 'FP32', FIRST_STAGE) as Numbers;
  }

  /** From now on so many rows of several requests may be run together. */
  allow(maxRows: number): void {
    this.#maxRows = maxRows;
  }

  /** Rows that wait for a run. */
  get queuedRows(): number {
    return this.#queuedRows;
  }

  /** What it does now: `done` runs have ended so far; undefined while none is under way. */
  get progress(): { readonly done: number; readonly expectedMs: number } | undefined {
    if (this.#runningRows === 0) return undefined;
    const rowMs = this.#rowMs || (this.#options.triedRowMs ?? 0);
    return { done: this.#runs, expectedMs: this.#runningRows * rowMs };
  }

  /**
   * Room for values behind those that are staged. What is written there counts once `commit` says how many rows it was.
   * @param values how many at most
   */
  room(values: number): { readonly stage: Numbers; readonly at: number } {
    const needed = this.#stagedValues + values;
    if (needed > this.#stage.length) {
      const larger = allocate((this.#options.staged as TensorSpec).datatype, 2 ** Math.ceil(Math.log2(needed)));
      (larger as Float32Array).set((this.#stage as Float32Array).subarray(0, this.#stagedValues));
      this.#stage = larger as Numbers;
    }
    return { stage: this.#stage, at: this.#stagedValues };
  }

  /** Rows that were written to `room`. */
  commit(rows: number, job: Job): void {
    job.rows = rows;
    if (!this.#admit(job)) return;
    this.#stagedValues += rows * this.#width;
    this.#stagedWaiting.push(job);
    this.#schedule();
  }

  /** A request's inputs of any kind. */
  add(feeds: Feeds, rows: number, job: Job): void {
    job.feeds = feeds;
    job.rows = rows;
    if (!this.#admit(job)) return;
    this.#waiting.push(job);
    this.#schedule();
  }

  /** Takes a request into the queue, or fails it where the queue is full or too slow. An empty queue takes any. */
  #admit(job: Job): boolean {
    const queued = this.#queuedRows;
    if (job.rows > this.#options.limits.maxRequestRows) {
      job.fail(tooManyRows(job.rows, this.#options.limits.maxRequestRows));
      return false;
    }
    if (queued > 0) {
      const { maxRows, maxWaitMs } = this.#options.limits;
      const full = queued + job.rows > maxRows;
      // With some room, since what is let in and then waits for too long was refused late.
      if (full || (queued + this.#runningRows) * this.#rowMs > maxWaitMs * ADMITTED) {
        job.fail(overloaded(full ? `${queued} rows wait already` : `the queue is longer than ${maxWaitMs} ms`));
        return false;
      }
    }
    if (!this.#scheduled || this.#idle.length === 0) this.#turnStarted = performance.now();
    job.since = this.#turnStarted;
    this.#queuedRows = queued + job.rows;
    return true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    const started = performance.now();
    while (this.#idle.length > 0) {
      // By turns, so that neither kind waits for the other to end.
      this.#stagedNext = !this.#stagedNext;
      if (this.#stagedWaiting.length > 0 && (this.#stagedNext || this.#waiting.length === 0)) this.#runStaged();
      else if (this.#waiting.length > 0) this.#runWaiting();
      else return;
      if (performance.now() - started > TURN_MS) break;
    }
    if (this.#idle.length > 0 && this.#stagedWaiting.length + this.#waiting.length > 0) this.#schedule();
  };

  #runStaged(): void {
    const spec = this.#options.staged as TensorSpec;
    const count = this.#together(this.#stagedWaiting);
    const all = count === this.#stagedWaiting.length;
    const batch = all ? this.#stagedWaiting : this.#stagedWaiting.slice(0, count);
    this.#stagedWaiting = all ? [] : this.#stagedWaiting.slice(count);
    const rows = sumRows(batch);
    const values = rows * this.#width;
    // A copy, since the stage takes further rows while a lane works on these.
    const data = this.#stage.slice(0, values) as Numbers;
    this.#stage.copyWithin(0, values, this.#stagedValues);
    this.#stagedValues -= values;
    if (this.#stagedValues === 0 && this.#stage.length > 2 ** 20)
      this.#stage = allocate(spec.datatype, FIRST_STAGE) as Numbers;
    this.#queuedRows -= rows;
    const feedsOf = (count: number, taken: Numbers): Feeds => ({
      [spec.name]: { datatype: spec.datatype, shape: [count, this.#width], data: taken },
    });
    // Those that came a moment ago are still wanted.
    if (performance.now() - (batch[0] as Job).since < FRESH_MS) {
      this.#run(feedsOf(rows, data), batch, rows);
      return;
    }
    const wanted: Job[] = [];
    let from = 0;
    let kept = 0;
    for (const job of batch) {
      const values = job.rows * this.#width;
      if (this.#stillWanted(job)) {
        data.copyWithin(kept, from, from + values);
        kept += values;
        wanted.push(job);
      }
      from += values;
    }
    if (wanted.length > 0)
      this.#run(feedsOf(kept / this.#width, data.slice(0, kept) as Numbers), wanted, kept / this.#width);
  }

  #runWaiting(): void {
    const count = this.#together(this.#waiting);
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#queuedRows -= sumRows(batch);
    const wanted = batch.filter((job) => this.#stillWanted(job));
    if (wanted.length > 0) this.#run(joined(wanted.map(({ feeds }) => feeds as Feeds)), wanted, sumRows(wanted));
  }

  /** False for a request that nobody waits for, and, failed, for one that has waited too long. */
  #stillWanted(job: Job): boolean {
    const { maxWaitMs } = this.#options.limits;
    if (performance.now() - job.since > maxWaitMs) {
      job.fail(overloaded(`it waited for longer than ${maxWaitMs} ms`));
      return false;
    }
    if (!job.gone()) return true;
    job.fail(new InlayError('CLIENT_GONE', 'the client went away before its request was run'));
    return false;
  }

  /** How many of the first that wait go into one run. */
  #together(waiting: readonly Job[]): number {
    const maxRows = this.#maxRows;
    const most = this.#rowMs > 0 ? Math.min(maxRows, Math.max(1, Math.floor(RUN_MS / this.#rowMs))) : maxRows;
    const [first] = waiting;
    let rows = first?.rows ?? 0;
    let count = 1;
    for (; count < waiting.length; count++) {
      const next = waiting[count] as Job;
      rows += next.rows;
      if (rows > most || next.names !== first?.names || !mayJoin(first?.feeds, next.feeds)) break;
    }
    return count;
  }

  #run(feeds: Feeds, batch: readonly Job[], rows: number): void {
    const lane = this.#idle.pop() as Lane;
    const names = batch[0]?.names ?? this.#options.names;
    const started = performance.now();
    this.#runningRows += rows;
    const finish = (answers: Answers) => {
      this.#idle.push(lane);
      this.#runningRows -= rows;
      this.#runs++;
      // A lane on another thread is given the next run while it still works on one.
      const now = performance.now();
      const ms = now - Math.max(started, this.#lastFinished);
      this.#lastFinished = now;
      this.#options.watch?.ran(rows, ms / 1000);
      const rowMs = ms / rows;
      this.#rowMs = this.#rowMs === 0 ? rowMs : this.#rowMs * 0.9 + rowMs * 0.1;
      if (batch.length > 1 && !hasRows(answers, names, rows)) {
        this.#refute();
        this.#runApart(feeds, batch);
        return;
      }
      let from = 0;
      for (const job of batch) {
        try {
          job.done(answers, from, batch.length === 1);
        } catch (error) {
          job.fail(error);
        }
        from += job.rows;
      }
    };
    const refuse = (error: unknown) => {
      this.#idle.push(lane);
      this.#runningRows -= rows;
      this.#runs++;
      if (batch.length === 1) (batch[0] as Job).fail(error);
      else this.#runApart(feeds, batch);
    };
    let answers: Answers | Promise<Answers>;
    try {
      answers = lane.run(feeds, names);
    } catch (error) {
      refuse(error);
      return;
    }
    if (!(answers instanceof Promise)) finish(answers);
    else
      answers.then(finish, refuse).then(() => {
        if (this.#stagedWaiting.length + this.#waiting.length > 0) this.#schedule();
      });
  }

  /** The model drops or adds rows, by what is in them: nobody can say which row of a larger run is whose. */
  #refute(): void {
    if (this.#maxRows === 1) return;
    this.#maxRows = 1;
    this.#options.refuted?.();
  }

  /** One of them spoilt the run: each goes alone. */
  #runApart(feeds: Feeds, batch: readonly Job[]): void {
    let from = 0;
    const [lane] = this.#options.lanes as readonly [Lane];
    for (const job of batch) {
      const own = sliceFeeds(feeds, from, from + job.rows);
      from += job.rows;
      (async () => job.done(await lane.run(own, job.names ?? this.#options.names), 0, true))().catch((error) =>
        job.fail(error),
      );
    }
  }
}

function overloaded(why: string): InlayError {
  return new InlayError('OVERLOADED', `the server has more to do than it can: ${why}`, {
    hint: 'Try again in a moment, or run more replicas.',
  });
}

function tooManyRows(rows: number, most: number): InlayError {
  return new InlayError('TOO_MANY_ROWS', `a request may have ${most} rows; this one has ${rows}`, {
    hint: 'Send them in several requests, or raise MAX_REQUEST_ROWS.',
  });
}

function hasRows(answers: Answers, names: readonly string[], rows: number): boolean {
  for (const name of names) if (answers[name]?.shape[0] !== rows) return false;
  return true;
}

function sumRows(waiting: readonly Job[]): number {
  let rows = 0;
  for (const one of waiting) rows += one.rows;
  return rows;
}

/** Staged rows are of one width. */
function mayJoin(a: Feeds | undefined, b: Feeds | undefined): boolean {
  return a === undefined || b === undefined || fitTogether(a, b);
}

function joined(feeds: readonly Feeds[]): Feeds {
  const [first = {}] = feeds;
  if (feeds.length === 1) return first;
  return Object.fromEntries(
    Object.keys(first).map((name) => [name, concatRows(feeds.map((one) => one[name] as Tensor))]),
  );
}

/** A copy of some rows: a lane on another thread takes the memory of what it is given. */
function sliceFeeds(feeds: Feeds, from: number, to: number): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { datatype, shape, data }]) => {
      const width = shape.slice(1).reduce((product, size) => product * size, 1);
      return [name, { datatype, shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) }];
    }),
  );
}
