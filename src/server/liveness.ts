/** What a watched worker does now: `done` changes whenever it gets on; undefined while it has nothing to do. */
export interface Progress {
  readonly done: number;
  /** How long what it does now may take, milliseconds, where that is longer than the limit. */
  readonly expectedMs: number;
}

export interface LivenessOptions {
  /** How long something may stand still before it counts as stuck, milliseconds. */
  readonly limitMs: number;
  /** A number for each serving thread of this process, in shared memory: it changes while the thread lives, and is 0 where none serves. */
  readonly pulses: Int32Array;
  /** This thread's place in it. */
  readonly own: number;
}

const LONGEST_TICK_MS = 400;
/** A limit has at least so many ticks. */
const TICKS = 4;
/** A run that takes so many times what its rows took of late hangs; below that it is a long one. */
const PATIENCE = 10;

/**
 * Knows whether all that serves still moves: this thread's runs of the model, which may be on another thread, and the
 * event loops of all serving threads. A thread that hangs cannot say so, but a probe that reaches another one is told.
 * Time is counted in ticks of one's own event loop: a process that was paused as a whole finds nothing stuck afterwards.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #tickMs: number;
  readonly #timer: ReturnType<typeof setInterval>;
  /** By thread: the pulse that was seen last, and for how many ticks it has been that one. */
  readonly #seen: { pulse: number; still: number }[];
  #progress: () => Progress | undefined = () => undefined;
  #broken: () => string | undefined = () => undefined;
  #done = -1;
  #still = 0;
  #expectedMs = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#tickMs = Math.min(LONGEST_TICK_MS, options.limitMs / TICKS);
    this.#seen = Array.from(options.pulses, () => ({ pulse: 0, still: 0 }));
    this.#beat();
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    this.#timer.unref();
  }

  /**
   * Watches what runs the model.
   * @param broken why it can never answer again, where that is known
   */
  watch(progress: () => Progress | undefined, broken: () => string | undefined): void {
    this.#progress = progress;
    this.#broken = broken;
  }

  /** What is stuck, or undefined where all is well. */
  readonly stuck = (): string | undefined => {
    const broken = this.#broken() ?? this.#stuckRun();
    if (broken !== undefined) return broken;
    const thread = this.#seen.findIndex(({ still }) => still * this.#tickMs > this.#options.limitMs);
    return thread < 0 ? undefined : `serving thread ${thread} does not move`;
  };

  /** Nobody expects anything of this thread any more. */
  close(): void {
    clearInterval(this.#timer);
    Atomics.store(this.#options.pulses, this.#options.own, 0);
  }

  #stuckRun(): string | undefined {
    const mostMs = Math.max(this.#options.limitMs, PATIENCE * this.#expectedMs);
    return this.#still * this.#tickMs > mostMs ? 'the model does not answer' : undefined;
  }

  #tick(): void {
    const now = this.#progress();
    this.#still = now !== undefined && now.done === this.#done ? this.#still + 1 : 0;
    this.#done = now?.done ?? -1;
    this.#expectedMs = now?.expectedMs ?? 0;
    // Others learn of a run that hangs by a pulse that stops.
    if (this.#broken() === undefined && this.#stuckRun() === undefined) this.#beat();
    const { pulses, own } = this.#options;
    for (const [thread, seen] of this.#seen.entries()) {
      const pulse = Atomics.load(pulses, thread);
      seen.still = thread !== own && pulse !== 0 && pulse === seen.pulse ? seen.still + 1 : 0;
      seen.pulse = pulse;
    }
  }

  #beat(): void {
    Atomics.add(this.#options.pulses, this.#options.own, 1);
  }
}
