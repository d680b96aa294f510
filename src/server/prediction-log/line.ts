import type { Contract, Tensor } from '../../contract/index.ts';
import type { Answers, Feeds } from '../../engine/index.ts';
import { jsonOfTensor } from '../oip/json-tensor.ts';

/** What is known of a request beside its values. */
export interface Asked {
  /** As /metrics has it. */
  readonly route: string;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
  /** The protocol's own id of a request. */
  readonly id?: string | undefined;
}

/** The body of a prediction and what was answered; undefined where it is too large to be kept. */
export interface LoggedPrediction {
  readonly body: string | undefined;
  readonly prediction: unknown;
}

/** Tensors of an inference. */
export interface LoggedTensors {
  readonly inputs: readonly LoggedTensor[];
  readonly outputs: readonly LoggedTensor[];
}

export interface LoggedTensor extends Tensor {
  readonly name: string;
  /** True where only the first values are kept. */
  readonly truncated: boolean;
}

export interface LineSpec {
  readonly model: Pick<Contract, 'name' | 'version' | 'inputs' | 'features'>;
  /** Names of inputs, outputs and features whose values are null. */
  readonly redacted: ReadonlySet<string>;
}

/** Values of a tensor that are kept. */
export const MOST_VALUES = 10_000;

/** Tensors as they are now: what they lie in may be used for others afterwards. */
export function copyTensors(tensors: Feeds | Answers): LoggedTensor[] {
  return Object.entries(tensors).map(([name, { datatype, shape, data }]) => ({
    name,
    datatype,
    shape,
    data: data.slice(0, MOST_VALUES),
    truncated: data.length > MOST_VALUES,
  }));
}

/** A request as one line of JSON, its end included. */
export function lineOf(
  time: number,
  asked: Asked,
  values: LoggedPrediction | LoggedTensors,
  { model, redacted }: LineSpec,
): string {
  const { route, requestId, traceId, id } = asked;
  const head = JSON.stringify({
    time: new Date(time).toISOString(),
    requestId,
    traceId,
    id,
    model: model.name,
    version: model.version,
    route,
  });
  const redact = new Redaction(model, redacted);
  if ('outputs' in values) {
    const { inputs, outputs } = values;
    const tensors = { inputs: inputs.map(redact.input), outputs: outputs.map(redact.output) };
    return `${head.slice(0, -1)},${JSON.stringify(tensors).slice(1)}\n`;
  }
  const { body, prediction } = values;
  const inputs = body === undefined ? 'null' : redact.body(body);
  const truncated = body === undefined || prediction === undefined ? ',"truncated":true' : '';
  return `${head.slice(0, -1)},"inputs":${inputs},"prediction":${JSON.stringify(prediction ?? null)}${truncated}}\n`;
}

/** Leaves out the values of names that must not be kept. */
class Redaction {
  readonly #redacted: ReadonlySet<string>;
  /** Which columns of the one input are left out; undefined where columns have no names. */
  readonly #columns: readonly boolean[] | undefined;
  /** The name of the one input. */
  readonly #input: string | undefined;

  constructor({ inputs, features }: LineSpec['model'], redacted: ReadonlySet<string>) {
    this.#redacted = redacted;
    const [first, second] = inputs;
    this.#input = second ? undefined : first?.name;
    const all = redacted.has(this.#input ?? '');
    this.#columns = features?.map((name) => all || redacted.has(name));
  }

  /** @param text JSON: it was read before */
  body(text: string): string {
    // Line ends stand between values only, as JSON's texts have none.
    if (this.#redacted.size === 0) return text.replaceAll(/[\r\n]/g, ' ');
    return JSON.stringify(this.#parsed(JSON.parse(text)));
  }

  readonly input = (tensor: LoggedTensor): object => {
    const { shape, data, datatype, name, truncated } = tensor;
    const columns = this.#columns;
    if (this.#redacted.has(name) || !columns?.includes(true)) return this.output(tensor);
    const width = shape.at(-1) ?? 1;
    const values = jsonOfTensor({ datatype, shape, data }).map((value, i) => (columns[i % width] ? null : value));
    return { name, datatype, shape, data: values, ...(truncated ? { truncated } : {}) };
  };

  readonly output = ({ name, datatype, shape, data, truncated }: LoggedTensor): object => ({
    name,
    datatype,
    shape,
    data: this.#redacted.has(name) ? null : jsonOfTensor({ datatype, shape, data }),
    ...(truncated ? { truncated } : {}),
  });

  /** `{"data": [[…]]}`, `inputs` and `records`, each as it may be shown. */
  #parsed(body: unknown): unknown {
    if (!isObject(body)) return null;
    const { data, inputs, records } = body;
    if (data !== undefined) return { data: this.#values(this.#input ?? '', data) };
    if (isObject(inputs))
      return {
        inputs: Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, this.#values(name, value)])),
      };
    if (Array.isArray(records)) return { records: records.map((one: unknown) => this.#record(one)) };
    return {};
  }

  /** An input's values, without the columns that are left out. Without names of columns all of it is shown, or nothing. */
  #values(name: string, value: unknown): unknown {
    const columns = this.#columns;
    if (this.#redacted.has(name)) return null;
    if (!columns?.includes(true)) return value;
    if (!Array.isArray(value)) return null;
    return value.map((row: unknown) =>
      Array.isArray(row) ? row.map((one: unknown, column) => (columns[column] ? null : one)) : null,
    );
  }

  #record(record: unknown): unknown {
    if (!isObject(record)) return null;
    const all = this.#redacted.has(this.#input ?? '');
    return Object.fromEntries(
      Object.entries(record).map(([name, value]) => [name, all || this.#redacted.has(name) ? null : value]),
    );
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
