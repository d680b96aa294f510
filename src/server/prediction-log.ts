import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** What waits to be written; beyond it lines are dropped, since a slow disk must not slow answers. */
const MOST_BUFFERED_BYTES = 4 * 2 ** 20;

export interface PredictionLogOptions {
  readonly settings: Pick<Settings, 'predictionLog' | 'predictionLogSample' | 'predictionLogRedact'>;
  readonly model: { readonly name: string; readonly version: string };
  /** Names of the columns of the one input, where it has such. */
  readonly features: readonly string[] | undefined;
  readonly log: Log;
  /** Writes a line to stdout. */
  readonly print: (line: string) => void;
}

/**
 * Writes sampled inputs and predictions as JSON lines, `{"time", "requestId"?, "model", "version", "inputs", "prediction"}`.
 * Values of redacted names are null; a prediction log holds what people sent, so it is off unless asked for.
 */
export class PredictionLog {
  readonly #options: PredictionLogOptions;
  /** Undefined for stdout. */
  readonly #file: Writable | undefined;
  readonly #redacted: ReadonlySet<string>;
  #dropped = 0;

  private constructor(options: PredictionLogOptions, file: Writable | undefined) {
    this.#options = options;
    this.#file = file;
    this.#redacted = new Set(options.settings.predictionLogRedact);
    file?.on('error', (error) => options.log.error(`the prediction log cannot be written: ${error.message}`));
  }

  /** Undefined where none is asked for. */
  static open(options: PredictionLogOptions): PredictionLog | undefined {
    const { predictionLog: to, predictionLogSample } = options.settings;
    if (to === undefined || predictionLogSample === 0) return undefined;
    return new PredictionLog(options, to === 'stdout' ? undefined : createWriteStream(to, { flags: 'a' }));
  }

  /** Whether this one is among the sampled. */
  wants(): boolean {
    return Math.random() < this.#options.settings.predictionLogSample;
  }

  /** @param body what was sent, as text: it was read before, so it is JSON */
  add(body: string, prediction: unknown, requestId: string | null): void {
    if ((this.#file?.writableLength ?? 0) > MOST_BUFFERED_BYTES) {
      if (this.#dropped++ % 1000 === 0)
        this.#options.log.warning('the prediction log is too slow: lines are dropped', { dropped: this.#dropped });
      return;
    }
    const { name, version } = this.#options.model;
    const line = {
      time: new Date().toISOString(),
      ...(requestId === null ? {} : { requestId: requestId.slice(0, 200) }),
      model: name,
      version,
      inputs: this.#redact(JSON.parse(body)),
      prediction,
    };
    const text = `${JSON.stringify(line)}\n`;
    if (this.#file) this.#file.write(text);
    else this.#options.print(text);
  }

  /** `{"data": [[…]]}` by the columns' names, `inputs` and `records` by their keys. */
  #redact(body: unknown): unknown {
    if (this.#redacted.size === 0 || body === null || typeof body !== 'object') return body;
    const { data, inputs, records } = body as Readonly<Record<string, unknown>>;
    const { features } = this.#options;
    if (Array.isArray(data) && features)
      return {
        data: data.map((row: unknown) =>
          Array.isArray(row)
            ? row.map((value, column) => (this.#redacted.has(features[column] ?? '') ? null : value))
            : row,
        ),
      };
    if (inputs !== null && typeof inputs === 'object') return { inputs: this.#blank(inputs) };
    if (Array.isArray(records))
      return {
        records: records.map((one: unknown) => (one !== null && typeof one === 'object' ? this.#blank(one) : one)),
      };
    // Without names nothing can be told apart, so nothing is shown.
    return 'data' in body ? { data: null } : body;
  }

  #blank(values: object): object {
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, this.#redacted.has(name) ? null : (value as unknown)]),
    );
  }
}
