import type { InferenceSession } from 'onnxruntime-node';
import { type Contract, isFloat, parseTensor, type Tensor, type TensorSpec } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { type OpenedModel, openModel } from './model-file.ts';
import { concatRows, fromOrt, sliceRows, toOrt } from './ort-tensor.ts';
import { disableTelemetry } from './telemetry.ts';

export type Feeds = Readonly<Record<string, Tensor>>;

export interface EngineOptions {
  readonly contract: Contract;
  /** The model file; its digest is checked against the contract while it is read. */
  readonly modelPath: string;
  /** Threads for one inference: `threadsFor(cpuLimit())`. */
  readonly threads: number;
}

/** How often the sample is run before the engine is ready: the first run is several times slower than the second. */
const WARM_UP_RUNS = 3;

/** A model in ONNX Runtime, warmed up and ready to answer. */
export class Engine {
  readonly #ort: typeof import('onnxruntime-node');
  readonly #session: InferenceSession;
  readonly #contract: Contract;
  readonly #rowByRow: boolean;

  private constructor(ort: typeof import('onnxruntime-node'), session: InferenceSession, contract: Contract) {
    this.#ort = ort;
    this.#session = session;
    this.#contract = contract;
    this.#rowByRow =
      contract.inputs.length > 0 && contract.inputs.every((spec) => spec.shape.length > 1 && spec.shape[0] === 1);
  }

  /**
   * Loads the model, proves that it has the inputs and outputs that the contract promises, and runs the sample.
   * @throws FILE_NOT_FOUND, INTEGRITY_MISMATCH, MODEL_LOAD_FAILED, CONTRACT_INVALID, OUTPUT_NOT_FINITE
   */
  static async load(options: EngineOptions): Promise<Engine> {
    const { contract, modelPath } = options;
    disableTelemetry();
    const ort = await import('onnxruntime-node');
    const session = await createSession(ort, await openModel(modelPath, contract), options);
    const engine = new Engine(ort, session, contract);
    engine.#checkNames();
    for (let run = 0; run < WARM_UP_RUNS; run++) await engine.run(engine.sample());
    return engine;
  }

  /**
   * What a request may give: the contract's inputs; a first dimension of exactly one row takes any number of rows,
   * which are run one by one.
   */
  get inputs(): readonly TensorSpec[] {
    if (!this.#rowByRow) return this.#contract.inputs;
    return this.#contract.inputs.map((spec) => ({ ...spec, shape: [-1, ...spec.shape.slice(1)] }));
  }

  /** The contract's sample as tensors. */
  sample(): Feeds {
    return Object.fromEntries(
      this.#contract.inputs.map((spec) => [spec.name, parseTensor(spec, this.#contract.sample.inputs[spec.name])]),
    );
  }

  /**
   * Runs the model.
   * @param feeds every input by name @param outputs which outputs to compute, all when left out
   * @throws INPUT_INVALID when inputs have different numbers of rows or the model refuses them,
   *   OUTPUT_NOT_FINITE when an output is NaN or infinite
   */
  async run(feeds: Feeds, outputs?: readonly string[]): Promise<Readonly<Record<string, Tensor>>> {
    const names = outputs ?? this.#contract.outputs.map((spec) => spec.name);
    const results = await (this.#rowByRow ? this.#runRows(feeds, names) : this.#runOnce(feeds, names));
    for (const name of names) checkFinite(name, results[name]);
    return results;
  }

  /** Frees the native session. The engine must not be used afterwards. */
  close(): Promise<void> {
    return this.#session.release();
  }

  async #runRows(feeds: Feeds, names: readonly string[]): Promise<Record<string, Tensor>> {
    const counts = new Set(Object.values(feeds).map((tensor) => tensor.shape[0] ?? 1));
    if (counts.size > 1)
      throw new InlayError('INPUT_INVALID', `inputs have different numbers of rows: ${[...counts].join(', ')}`);
    const [rows = 1] = counts;
    const results: Record<string, Tensor>[] = [];
    for (let row = 0; row < rows; row++) {
      const one = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [name, sliceRows(tensor, row, row + 1)]),
      );
      results.push(await this.#runOnce(one, names));
    }
    return Object.fromEntries(names.map((name) => [name, concatRows(results.map((result) => result[name] as Tensor))]));
  }

  async #runOnce(feeds: Feeds, names: readonly string[]): Promise<Record<string, Tensor>> {
    const ortFeeds = Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [name, toOrt(this.#ort.Tensor, tensor)]),
    );
    let results: InferenceSession.OnnxValueMapType;
    try {
      results = await this.#session.run(ortFeeds, names);
    } catch (cause) {
      // The values were checked against the contract, so what is left is a shape that the graph cannot work with.
      throw new InlayError('INPUT_INVALID', `the model refuses these inputs: ${firstLine(cause)}`, { cause });
    }
    return Object.fromEntries(names.map((name) => [name, fromOrt(results[name] as never)]));
  }

  #checkNames(): void {
    const promised = [
      ...this.#contract.inputs.map((i) => `input ${i.name}`),
      ...this.#contract.outputs.map((o) => `output ${o.name}`),
    ];
    const there = new Set([
      ...this.#session.inputNames.map((n) => `input ${n}`),
      ...this.#session.outputNames.map((n) => `output ${n}`),
    ]);
    const missing = promised.filter((name) => !there.has(name));
    if (missing.length > 0) {
      throw new InlayError(
        'CONTRACT_INVALID',
        `the model has no ${missing.join(', no ')}, which its contract promises`,
        { hint: `It has ${[...there].join(', ')}. Build the image again.` },
      );
    }
  }
}

async function createSession(
  ort: typeof import('onnxruntime-node'),
  { model, folder }: OpenedModel,
  options: EngineOptions,
): Promise<InferenceSession> {
  try {
    const sessionOptions: InferenceSession.SessionOptions = {
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      // Idle threads that spin burn CPU and mislead an autoscaler.
      extra: {
        session: { intra_op: { allow_spinning: '0' }, model_external_initializers_file_folder_path: folder },
      },
    };
    return typeof model === 'string'
      ? await ort.InferenceSession.create(model, sessionOptions)
      : await ort.InferenceSession.create(model, sessionOptions);
  } catch (cause) {
    throw new InlayError(
      'MODEL_LOAD_FAILED',
      `ONNX Runtime cannot load ${options.contract.model.file}: ${firstLine(cause)}`,
      {
        cause,
        hint: 'Export it for an older opset, or with operators that ONNX Runtime has on the CPU.',
      },
    );
  }
}

function checkFinite(name: string, tensor: Tensor | undefined): void {
  if (!tensor || !isFloat(tensor.datatype)) return;
  for (const value of tensor.data as Float64Array) {
    if (!Number.isFinite(value)) {
      throw new InlayError('OUTPUT_NOT_FINITE', `output ${name} has a value that is not finite (${value})`, {
        hint: 'The model cannot answer this input: its values are far outside of what it was trained on, or its weights are damaged.',
      });
    }
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
