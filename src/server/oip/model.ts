import { type Contract, isFloat, type Tensor, type TensorSpec } from '../../contract/index.ts';
import { type Answers, type Batcher, checkFinite, type Feeds, type Job, sliceRows } from '../../engine/index.ts';
import { didYouMean, InlayError, isInlayError } from '../../error/index.ts';
import { HttpError } from '../answer.ts';
import { type LabelCounter, labelCounter } from '../label-counter.ts';
import type { Served } from '../model-routes.ts';
import { rowsOf, sameRows } from '../predict.ts';
import type { Asked, PredictionLog } from '../prediction-log/index.ts';

/** As many lists of outputs are kept; requests that ask for a further one do not share runs. */
const MOST_LISTS = 16;

/** The served model as the Open Inference Protocol sees it, for REST and gRPC alike. */
export class OipModel {
  readonly contract: Contract;
  /** What a request may give: free first dimensions, also where the graph takes one row at a time. */
  readonly inputs: readonly TensorSpec[];
  readonly #batcher: Batcher;
  /** Counts the labels of a classifier's rows. */
  readonly #count: LabelCounter | undefined;
  readonly #predictions: PredictionLog | undefined;
  readonly #all: readonly string[];
  /** By names joined: requests share a run where they hold the very same list. */
  readonly #lists = new Map<string, readonly string[]>();

  constructor({
    contract,
    engine,
    batcher,
    metrics,
    predictions,
  }: Pick<Served, 'contract' | 'engine' | 'batcher' | 'metrics' | 'predictions'>) {
    this.contract = contract;
    this.inputs = engine.inputs;
    this.#batcher = batcher;
    this.#count = labelCounter(contract, metrics);
    this.#predictions = predictions;
    this.#all = contract.outputs.map(({ name }) => name);
  }

  /** @throws HttpError 404 for another model or version than the one that is served @param version '' for any */
  check(name: string, version = ''): void {
    const { contract } = this;
    if (name === contract.name && (version === '' || version === contract.version)) return;
    const asked = version === '' ? quote(name) : `${quote(name)} version ${quote(version)}`;
    throw new HttpError(404, 'NOT_FOUND', `there is no model ${asked}`, {
      hint: `This server serves ${contract.name} version ${contract.version}.`,
    });
  }

  /** @throws HttpError 400 when the model has no such input */
  input(name: string): TensorSpec {
    const spec = this.inputs.find((one) => one.name === name);
    if (!spec) throw unknownName('input', name, this.inputs);
    return spec;
  }

  /**
   * The outputs to compute, in the contract's order; the very same list for the same names.
   * @param asked none for all @throws HttpError 400 for an unknown name, or one that stands twice
   */
  outputs(asked: readonly string[]): readonly string[] {
    if (asked.length === 0) return this.#all;
    const names = new Set(asked);
    if (names.size < asked.length) throw badRequest('an output is asked for twice');
    for (const name of asked) if (!this.#all.includes(name)) throw unknownName('output', name, this.contract.outputs);
    if (names.size === this.#all.length) return this.#all;
    const list = this.#all.filter((name) => names.has(name));
    const key = list.join('\0');
    const known = this.#lists.get(key);
    if (!known && this.#lists.size < MOST_LISTS) this.#lists.set(key, list);
    return known ?? list;
  }

  /**
   * All inputs of a request, each once.
   * @throws HttpError 400 @throws INPUT_INVALID where inputs have different numbers of rows
   */
  feeds(given: ReadonlyMap<string, Tensor>): Feeds {
    const missing = this.inputs.find((spec) => !given.has(spec.name));
    if (missing) throw badRequest(`input ${quote(missing.name)} is missing`);
    return sameRows(this.inputs, Object.fromEntries(given));
  }

  /**
   * Runs the model, together with what else came meanwhile. Resolves to the outputs of these rows alone.
   * @param outputs a list from `outputs` @param gone true once nobody waits for the answer
   * @param asked what the prediction log says of the request, where it is logged
   * @throws INPUT_INVALID, OUTPUT_NOT_FINITE, OVERLOADED, CLIENT_GONE
   */
  infer(feeds: Feeds, outputs: readonly string[], gone: () => boolean, asked: () => Asked): Promise<Answers> {
    const logged = this.#predictions?.wants() ? this.#predictions.inferring(asked(), feeds) : undefined;
    return new Promise((resolve, reject) =>
      this.#batcher.add(
        feeds,
        rowsOf(feeds, this.inputs),
        new Inference({
          names: outputs,
          gone,
          resolve: (answers) => {
            const predicted = answers[this.contract.prediction];
            if (predicted) this.#count?.({ tensor: predicted, from: 0, rows: 1, alone: true });
            logged?.(answers);
            resolve(answers);
          },
          fail: (error) => reject(blame(error, feeds)),
        }),
      ),
    );
  }
}

interface InferenceParts {
  readonly names: readonly string[];
  readonly gone: () => boolean;
  readonly resolve: (answers: Answers) => void;
  readonly fail: (error: unknown) => void;
}

/** A request that waits for its outputs. */
class Inference implements Job {
  feeds: Feeds | undefined = undefined;
  rows = 0;
  since = 0;
  readonly names: readonly string[];
  readonly gone: () => boolean;
  readonly fail: (error: unknown) => void;
  readonly #resolve: (answers: Answers) => void;

  constructor({ names, gone, resolve, fail }: InferenceParts) {
    this.names = names;
    this.gone = gone;
    this.fail = fail;
    this.#resolve = resolve;
  }

  done(answers: Answers, from: number, alone: boolean): void {
    const own: Record<string, Tensor> = {};
    for (const name of this.names) {
      const tensor = answers[name] as Tensor;
      const part = alone ? tensor : sliceRows(tensor, from, from + this.rows);
      checkFinite(name, part);
      own[name] = part;
    }
    this.#resolve(own);
  }
}

/** An output that is not finite is the request's fault where an input was not finite: binary tensors can say NaN. */
function blame(error: unknown, feeds: Feeds): unknown {
  if (!isInlayError(error) || error.code !== 'OUTPUT_NOT_FINITE') return error;
  for (const [name, { datatype, data }] of Object.entries(feeds))
    if (isFloat(datatype) && !(data as Float64Array).every(Number.isFinite))
      return new InlayError('INPUT_INVALID', `input ${name} has a value that is not finite, and so has what comes out`);
  return error;
}

/** A request that is not what the protocol or the model takes. */
export function badRequest(message: string, hint?: string): HttpError {
  return new HttpError(400, 'BODY_INVALID', message, hint === undefined ? {} : { hint });
}

export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function unknownName(kind: string, name: string, known: readonly TensorSpec[]): HttpError {
  const names = known.map((spec) => spec.name);
  const near = didYouMean(name, names);
  return badRequest(
    `the model has no ${kind} ${quote(name)}`,
    near ? `Did you mean "${near}"?` : `It has ${names.join(', ')}.`,
  );
}
