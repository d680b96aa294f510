import { isInference, kindOf } from '../contract/index.ts';
import { isInlayError } from '../error/index.ts';
import { HttpError } from './answer.ts';
import { FINE_SECONDS, Histogram, type HistogramValues, SECONDS } from './histogram.ts';

const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096, 16_384];
/** Labels that have a counter of their own; predictions of further ones count as `other`. */
const MOST_LABELS = 100;

/** What a thread has counted: plain numbers, so that it can be sent to another and added up there. */
export interface MetricsValues {
  /** By `route` and `code`, joined by a space; in the fine buckets. */
  readonly requests: Readonly<Record<string, HistogramValues>>;
  readonly inference: HistogramValues;
  readonly batchRows: HistogramValues;
  readonly queueRows: number;
  readonly predictions: readonly number[];
  readonly nonfinite: number;
  readonly rejected: Readonly<Record<string, number>>;
  /** Predictions that went to the prediction log, and those that were to and did not. */
  readonly logged: number;
  readonly notLogged: number;
  /** Connections that were closed to make room for others. */
  readonly cut: number;
}

export interface ModelInfo {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly inlay: string;
}

/** What one thread counts. Observing costs some ten nanoseconds; all else happens when somebody asks. */
export class Metrics {
  readonly #requests = new Map<string, Histogram>();
  readonly #inference = new Histogram(SECONDS);
  readonly #batchRows = new Histogram(ROWS);
  #predictions = new Float64Array(0);
  readonly #rejected = new Map<string, number>();
  #nonfinite = 0;
  #logged = 0;
  #notLogged = 0;
  #cut = 0;
  /** Rows that wait for a run, now. */
  queueRows: () => number = () => 0;

  /** Counts labels from now on. @param labels how many the model has */
  countLabels(labels: number): void {
    this.#predictions = new Float64Array(Math.min(labels, MOST_LABELS) + 1);
  }

  /** What to call with the seconds of each request of a route that was answered with a status: HTTP's number, gRPC's name. */
  requestsOf(route: string, code: number | string): (seconds: number) => void {
    const key = `${route} ${code}`;
    let histogram = this.#requests.get(key);
    if (!histogram) {
      histogram = new Histogram(FINE_SECONDS);
      this.#requests.set(key, histogram);
    }
    const own = histogram;
    return (seconds) => own.observe(seconds);
  }

  /** Requests that asked the model over HTTP and have their answer, whatever it is. */
  get asked(): number {
    let count = 0;
    for (const [key, histogram] of this.#requests) {
      const [route = '', code = ''] = key.split(' ');
      if (isInference(route) && /^\d+$/.test(code)) count += histogram.count;
    }
    return count;
  }

  /** A run of the model. */
  ran(rows: number, seconds: number): void {
    this.#inference.observe(seconds);
    this.#batchRows.observe(rows);
  }

  /** @param column of the label */
  predicted(column: number): void {
    const at = Math.min(column, this.#predictions.length - 1);
    if (at >= 0) this.#predictions[at] = (this.#predictions[at] as number) + 1;
  }

  /** A request that ended with an error. */
  refused(error: unknown): void {
    const code = error instanceof HttpError || isInlayError(error) ? error.code : 'INTERNAL';
    if (code === 'OUTPUT_NOT_FINITE') this.#nonfinite++;
    else this.#rejected.set(code.toLowerCase(), (this.#rejected.get(code.toLowerCase()) ?? 0) + 1);
  }

  /** Lines of the prediction log that were written. */
  predictionsLogged(count: number): void {
    this.#logged += count;
  }

  /** Lines of the prediction log that were dropped. */
  predictionsNotLogged(count: number): void {
    this.#notLogged += count;
  }

  /** Connections that were closed to make room for others. */
  connectionsCut(count: number): void {
    this.#cut += count;
  }

  values(): MetricsValues {
    return {
      requests: Object.fromEntries([...this.#requests].map(([key, histogram]) => [key, histogram.values()])),
      inference: this.#inference.values(),
      batchRows: this.#batchRows.values(),
      queueRows: this.queueRows(),
      predictions: [...this.#predictions],
      nonfinite: this.#nonfinite,
      rejected: Object.fromEntries(this.#rejected),
      logged: this.#logged,
      notLogged: this.#notLogged,
      cut: this.#cut,
    };
  }
}

/**
 * The page at /metrics (Prometheus text exposition format 0.0.4), of all threads together.
 * @param labels in column order
 * @param heldBytes of the process, which all threads share
 */
export function renderMetrics(
  threads: readonly MetricsValues[],
  model: ModelInfo,
  labels: readonly string[],
  heldBytes: number,
): string {
  const lines: string[] = [];
  const family = (name: string, type: string, help: string) =>
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  const histogram = (
    name: string,
    labelled: string,
    bounds: readonly number[],
    values: readonly HistogramValues[],
    told: readonly number[] = bounds,
  ) => {
    let below = 0;
    const braces = (more: string) => `{${[labelled, more].filter((part) => part !== '').join(',')}}`;
    for (let bucket = 0; bucket <= bounds.length; bucket++) {
      below += total(values.map(({ counts }) => counts[bucket] ?? 0));
      if (bucket < bounds.length && !told.includes(bounds[bucket] as number)) continue;
      lines.push(`${name}_bucket${braces(`le="${bucket === bounds.length ? '+Inf' : bounds[bucket]}"`)} ${below}`);
    }
    const own = labelled === '' ? '' : `{${labelled}}`;
    lines.push(`${name}_sum${own} ${total(values.map(({ sum }) => sum))}`, `${name}_count${own} ${below}`);
  };

  family('inlay_model_info', 'gauge', 'What is served.');
  const { name, version, digest, inlay } = model;
  lines.push(
    `inlay_model_info{name="${labelValue(name)}",version="${labelValue(version)}",digest="${digest}",inlay="${inlay}"} 1`,
  );
  family('inlay_request_duration_seconds', 'histogram', 'From the head of a request to its answer.');
  for (const key of [...new Set(threads.flatMap(({ requests }) => Object.keys(requests)))].sort()) {
    const [route = '', code = ''] = key.split(' ');
    histogram(
      'inlay_request_duration_seconds',
      `route="${labelValue(route)}",code="${code}"`,
      FINE_SECONDS,
      threads.flatMap(({ requests }) => requests[key] ?? []),
      SECONDS,
    );
  }
  family(
    'inlay_answer_duration_seconds',
    'histogram',
    'Requests that asked the model and were not refused, all routes together.',
  );
  histogram(
    'inlay_answer_duration_seconds',
    '',
    FINE_SECONDS,
    threads.flatMap(({ requests }) =>
      Object.keys(requests).flatMap((key) => (isAnswer(key) ? (requests[key] ?? []) : [])),
    ),
  );
  family('inlay_inference_duration_seconds', 'histogram', 'One run of the model.');
  histogram(
    'inlay_inference_duration_seconds',
    '',
    SECONDS,
    threads.map(({ inference }) => inference),
  );
  family('inlay_batch_rows', 'histogram', 'Rows of one run.');
  histogram(
    'inlay_batch_rows',
    '',
    ROWS,
    threads.map(({ batchRows }) => batchRows),
  );
  family('inlay_queue_rows', 'gauge', 'Rows that wait for a run.');
  lines.push(`inlay_queue_rows ${total(threads.map(({ queueRows }) => queueRows))}`);
  if (labels.length > 0) {
    family('inlay_predictions_total', 'counter', 'Rows by their most likely label.');
    const counts = threads.map(({ predictions }) => predictions);
    labels.slice(0, MOST_LABELS).forEach((label, column) => {
      lines.push(
        `inlay_predictions_total{label="${labelValue(label)}"} ${total(counts.map((one) => one[column] ?? 0))}`,
      );
    });
    if (labels.length > MOST_LABELS)
      lines.push(`inlay_predictions_total{label="other"} ${total(counts.map((one) => one[MOST_LABELS] ?? 0))}`);
  }
  family('inlay_nonfinite_outputs_total', 'counter', 'Requests that the model answered with NaN or infinity.');
  lines.push(`inlay_nonfinite_outputs_total ${total(threads.map(({ nonfinite }) => nonfinite))}`);
  family('inlay_rejected_total', 'counter', 'Requests that were not run.');
  for (const reason of [...new Set(threads.flatMap(({ rejected }) => Object.keys(rejected)))].sort())
    lines.push(
      `inlay_rejected_total{reason="${labelValue(reason)}"} ${total(threads.map(({ rejected }) => rejected[reason] ?? 0))}`,
    );
  family('inlay_memory_held_bytes', 'gauge', 'Resident memory without pages of mapped files, bytes.');
  lines.push(`inlay_memory_held_bytes ${heldBytes}`);
  family('inlay_prediction_log_lines_total', 'counter', 'Lines that the prediction log wrote.');
  lines.push(`inlay_prediction_log_lines_total ${total(threads.map(({ logged }) => logged))}`);
  family('inlay_prediction_log_dropped_total', 'counter', 'Lines that the prediction log dropped.');
  lines.push(`inlay_prediction_log_dropped_total ${total(threads.map(({ notLogged }) => notLogged))}`);
  family('inlay_connections_cut_total', 'counter', 'Connections that were closed to make room for others.');
  lines.push(`inlay_connections_cut_total ${total(threads.map(({ cut }) => cut))}`);
  return `${lines.join('\n')}\n`;
}

/** Answered, or given up by its client: a slow model's longest requests are among those. */
function isAnswer(key: string): boolean {
  const [route = '', code = ''] = key.split(' ');
  return isInference(route) && ['answered', 'gone'].includes(kindOf(code));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** A label's value, as the format wants it. */
function labelValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
