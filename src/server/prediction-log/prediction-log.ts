import type { Contract } from '../../contract/index.ts';
import type { Answers, Feeds } from '../../engine/index.ts';
import { didYouMean, InlayError } from '../../error/index.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Settings } from '../settings.ts';
import { type Asked, copyTensors, type LineSpec, type LoggedPrediction, type LoggedTensors, lineOf } from './line.ts';
import type { LineSink } from './line-sink.ts';

/** What waits to be written, as far as its size is known; beyond it lines are dropped. */
const MOST_WAITING_BYTES = 4 * 2 ** 20;
/** A body of more characters is not kept: making a line of it would hold up others. */
const MOST_BODY = 256 * 1024;
/** Lines are made in slices of about so long, ms. */
const SLICE_MS = 1;
/** After a slice, so many times its length belongs to requests alone: logging takes a tenth of the time at most. */
const REST = 9;
const SHORTEST_REST_MS = 10;

export interface PredictionLogOptions {
  readonly settings: Pick<Settings, 'predictionLogSample' | 'predictionLogRedact'>;
  readonly contract: Contract;
  readonly sink: LineSink;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Entry {
  readonly time: number;
  readonly asked: Asked;
  readonly values: LoggedPrediction | LoggedTensors;
  readonly bytes: number;
}

/** An inference whose inputs were kept, and that waits for its outputs. */
export type PendingInference = (outputs: Answers) => void;

/**
 * Writes sampled requests and their answers as JSON lines (docs/server.md has the form). A request only leaves its values
 * here: lines are made between requests, and dropped, counted, where there is no time or the disk is too slow.
 */
export class PredictionLog {
  readonly #options: PredictionLogOptions;
  readonly #spec: LineSpec;
  #waiting: Entry[] = [];
  #bytes = 0;
  #dropped = 0;
  #flushing = false;

  /** @throws ENVIRONMENT_INVALID for a name to redact that the model does not have: its values would be shown */
  constructor(options: PredictionLogOptions) {
    this.#options = options;
    const { contract, settings } = options;
    checkNames(settings.predictionLogRedact, contract);
    this.#spec = { model: contract, redacted: new Set(settings.predictionLogRedact) };
  }

  /** Whether this request is among the sampled. */
  wants(): boolean {
    return Math.random() < this.#options.settings.predictionLogSample;
  }

  /**
   * A prediction that was answered.
   * @param body what was sent, as text that was read already @param small whether `prediction` has few enough values
   */
  predicted(asked: Asked, body: string, prediction: unknown, small: boolean): void {
    const kept = body.length <= MOST_BODY && small;
    const values = kept ? { body, prediction } : { body: undefined, prediction: undefined };
    // Two bytes a character, and as much for what is answered.
    this.#add(asked, values, 200 + (kept ? body.length * 4 : 0));
  }

  /** Keeps the inputs of an inference, before they are given away. Returns what to call with its outputs. */
  inferring(asked: Asked, feeds: Feeds): PendingInference {
    const inputs = copyTensors(feeds);
    return (answers) => {
      const outputs = copyTensors(answers);
      const values = [...inputs, ...outputs].reduce((sum, { data }) => sum + data.length, 0);
      this.#add(asked, { inputs, outputs }, 200 + values * 16);
    };
  }

  /** Resolves when all that waits has been written or lost. */
  async flush(): Promise<void> {
    while (this.#flushing) await Bun.sleep(5);
    while (this.#waiting.length > 0) await this.#write(Number.POSITIVE_INFINITY);
  }

  #add(asked: Asked, values: Entry['values'], bytes: number): void {
    if (this.#bytes + bytes > MOST_WAITING_BYTES) {
      this.#drop(1);
      return;
    }
    this.#bytes += bytes;
    this.#waiting.push({ time: Date.now(), asked, values, bytes });
    if (!this.#flushing) this.#run();
  }

  async #run(): Promise<void> {
    this.#flushing = true;
    await Bun.sleep(SHORTEST_REST_MS);
    while (this.#waiting.length > 0) {
      const tookMs = await this.#write(SLICE_MS);
      await Bun.sleep(Math.max(SHORTEST_REST_MS, tookMs * REST));
    }
    this.#flushing = false;
  }

  /** Makes lines for so long and writes them. Resolves to how long making them took, ms. */
  async #write(sliceMs: number): Promise<number> {
    const started = performance.now();
    let lines = '';
    let count = 0;
    while (count < this.#waiting.length && lines.length < MOST_WAITING_BYTES) {
      const { time, asked, values, bytes } = this.#waiting[count++] as Entry;
      this.#bytes -= bytes;
      try {
        lines += lineOf(time, asked, values, this.#spec);
      } catch (error) {
        this.#options.log.error(`a prediction cannot be logged: ${(error as Error).message}`);
      }
      if (performance.now() - started > sliceMs) break;
    }
    this.#waiting = this.#waiting.slice(count);
    const tookMs = performance.now() - started;
    if (await this.#options.sink.write(lines)) this.#options.metrics.predictionsLogged(count);
    else this.#drop(count);
    return tookMs;
  }

  #drop(count: number): void {
    const before = this.#dropped;
    this.#dropped += count;
    this.#options.metrics.predictionsNotLogged(count);
    if (Math.ceil(before / 1000) !== Math.ceil(this.#dropped / 1000))
      this.#options.log.warning('the prediction log does not keep up: lines are dropped', { dropped: this.#dropped });
  }
}

function checkNames(redacted: readonly string[], { inputs, outputs, features = [] }: Contract): void {
  const known = [...features, ...[...inputs, ...outputs].map(({ name }) => name)];
  const unknown = redacted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = didYouMean(unknown, known);
  throw new InlayError(
    'ENVIRONMENT_INVALID',
    `PREDICTION_LOG_REDACT: the model has no feature, input or output ${JSON.stringify(unknown)}`,
    { hint: near ? `Did you mean "${near}"?` : `It has ${known.slice(0, 20).join(', ')}.` },
  );
}
