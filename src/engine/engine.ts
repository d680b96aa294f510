import { type Contract, isFloat, parseTensor, type Tensor, type TensorSpec } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { type Answers, type Feeds, Session, type SessionSpec, takesOneRow } from './session.ts';

export type EngineOptions = SessionSpec;

/** How often the sample is run before the engine is ready: the first run is several times slower than the second. */
const WARM_UP_RUNS = 3;

/** A model in ONNX Runtime, warmed up and ready to answer. */
export class Engine {
  readonly spec: SessionSpec;
  /** The quickest of the warm-up runs of the sample, milliseconds. */
  readonly runMs: number;
  readonly #session: Session;
  readonly #names: readonly string[];

  private constructor(session: Session, spec: SessionSpec, runMs: number) {
    this.#session = session;
    this.spec = spec;
    this.runMs = runMs;
    this.#names = spec.contract.outputs.map(({ name }) => name);
  }

  /**
   * Loads the model, proves that it has the inputs and outputs that the contract promises, and runs the sample.
   * @throws FILE_NOT_FOUND, INTEGRITY_MISMATCH, MODEL_LOAD_FAILED, CONTRACT_INVALID, OUTPUT_NOT_FINITE
   */
  static async load(spec: EngineOptions): Promise<Engine> {
    const session = await Session.load(spec);
    const names = spec.contract.outputs.map(({ name }) => name);
    const sample = sampleOf(spec.contract);
    let runMs = Number.POSITIVE_INFINITY;
    for (let run = 0; run < WARM_UP_RUNS; run++) {
      const started = performance.now();
      checkAllFinite(session.run(sample, names));
      runMs = Math.min(runMs, performance.now() - started);
    }
    return new Engine(session, spec, runMs);
  }

  get contract(): Contract {
    return this.spec.contract;
  }

  /** The session itself: runs block, and what comes back is not held against anything. */
  get session(): Session {
    return this.#session;
  }

  /**
   * What a request may give: the contract's inputs; a first dimension of exactly one row takes any number of rows,
   * which are run one by one.
   */
  get inputs(): readonly TensorSpec[] {
    const { inputs } = this.contract;
    return takesOneRow(inputs) ? inputs.map((spec) => ({ ...spec, shape: [-1, ...spec.shape.slice(1)] })) : inputs;
  }

  /** The contract's sample as tensors. */
  sample(): Feeds {
    return sampleOf(this.contract);
  }

  /**
   * Runs the model.
   * @param feeds every input by name @param outputs which outputs to compute, all when left out
   * @throws INPUT_INVALID when inputs have different numbers of rows or the model refuses them,
   *   OUTPUT_NOT_FINITE when an output is NaN or infinite
   */
  async run(feeds: Feeds, outputs: readonly string[] = this.#names): Promise<Answers> {
    return checkAllFinite(this.#session.run(feeds, outputs));
  }

  /** Frees the native session. The engine must not be used afterwards. */
  async close(): Promise<void> {
    this.#session.close();
  }
}

function sampleOf(contract: Contract): Feeds {
  return Object.fromEntries(
    contract.inputs.map((spec) => [spec.name, parseTensor(spec, contract.sample.inputs[spec.name])]),
  );
}

function checkAllFinite(answers: Answers): Answers {
  for (const name in answers) checkFinite(name, answers[name] as Tensor);
  return answers;
}

/**
 * Refuses floats that are NaN or infinite, in all of a tensor or in elements `[from, to)` of it.
 * @throws OUTPUT_NOT_FINITE
 */
export function checkFinite(name: string, tensor: Tensor, from = 0, to: number = tensor.data.length): void {
  if (!isFloat(tensor.datatype)) return;
  const values = tensor.data as Float64Array;
  // Zero times what is finite is zero, else NaN: several times quicker than to ask each.
  let sum = 0;
  for (let i = from; i < to; i++) sum += (values[i] as number) * 0;
  if (sum === 0) return;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) continue;
    throw new InlayError('OUTPUT_NOT_FINITE', `output ${name} has a value that is not finite (${value})`, {
      hint: 'The model cannot answer this input: its values are far outside of what it was trained on, or its weights are damaged.',
    });
  }
}
