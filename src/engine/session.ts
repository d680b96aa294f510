import { type CaseInput, type Contract, changeCase, type Tensor, type TensorSpec } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { openModel } from './model-file.ts';
import { isAboutPlace } from './native/library-place.ts';
import { type NativeModel, openNative } from './native/native-model.ts';
import { concatRows, sliceRows } from './rows.ts';

export type Feeds = Readonly<Record<string, Tensor>>;
export type Answers = Readonly<Record<string, Tensor>>;

export interface SessionSpec {
  readonly contract: Contract;
  /** The model file; its digest is checked against the contract while it is read. */
  readonly modelPath: string;
  /** Threads for one inference. */
  readonly threads: number;
}

/** A model in ONNX Runtime. A run blocks the thread that asks for it. */
export class Session {
  readonly #native: NativeModel;
  readonly #caseInputs: readonly CaseInput[];
  readonly #rowByRow: boolean;

  private constructor(native: NativeModel, contract: Contract, caseInputs: readonly CaseInput[]) {
    this.#native = native;
    this.#caseInputs = caseInputs;
    this.#rowByRow = takesOneRow(contract.inputs);
  }

  /**
   * Loads the model and proves that it has the inputs and outputs that the contract promises.
   * @throws FILE_NOT_FOUND, FILE_UNREADABLE, INTEGRITY_MISMATCH, MODEL_LOAD_FAILED, CONTRACT_INVALID, RUNTIME_UNAVAILABLE
   */
  static async load({ contract, modelPath, threads }: SessionSpec): Promise<Session> {
    const { model, folder, caseInputs } = await openModel(modelPath, contract);
    let native: NativeModel;
    try {
      native = await openNative(model, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        config: {
          // Idle threads that spin burn CPU and mislead an autoscaler.
          'session.intra_op.allow_spinning': '0',
          'session.model_external_initializers_file_folder_path': folder,
        },
      });
    } catch (cause) {
      if (isAboutPlace(cause)) throw cause;
      throw new InlayError(
        'MODEL_LOAD_FAILED',
        `ONNX Runtime cannot load ${contract.model.file}: ${firstLine(cause)}`,
        {
          cause,
          hint: 'Export it for an older opset, or with operators that ONNX Runtime has on the CPU.',
        },
      );
    }
    checkNames(native, contract);
    return new Session(native, contract, caseInputs);
  }

  /**
   * Runs the model. Inputs of exactly one row are run row by row.
   * @throws INPUT_INVALID when inputs have different numbers of rows, the model refuses them, or run row by row, gives answers of
   *   different shapes
   */
  run(feeds: Feeds, names: readonly string[]): Answers {
    return this.#rowByRow ? this.#runRows(feeds, names) : this.#runOnce(feeds, names);
  }

  /** Frees the native session. The session must not be used afterwards. */
  close(): void {
    this.#native.close();
  }

  #runRows(feeds: Feeds, names: readonly string[]): Answers {
    const counts = new Set(Object.values(feeds).map((tensor) => tensor.shape[0] ?? 1));
    if (counts.size > 1)
      throw new InlayError('INPUT_INVALID', `inputs have different numbers of rows: ${[...counts].join(', ')}`);
    const [rows = 1] = counts;
    const results: Answers[] = [];
    for (let row = 0; row < rows; row++) {
      const one = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [name, sliceRows(tensor, row, row + 1)]),
      );
      results.push(this.#runOnce(one, names));
    }
    return Object.fromEntries(names.map((name) => [name, joinAnswers(name, results)]));
  }

  #runOnce(feeds: Feeds, names: readonly string[]): Answers {
    try {
      return this.#native.run(this.#caseInputs.length === 0 ? feeds : this.#withCaseInputs(feeds), names);
    } catch (cause) {
      // The values were checked against the contract, so what is left is a shape that the graph cannot work with.
      throw new InlayError('INPUT_INVALID', `the model refuses these inputs: ${firstLine(cause)}`, { cause });
    }
  }

  #withCaseInputs(feeds: Feeds): Feeds {
    const all: Record<string, Tensor> = { ...feeds };
    for (const { name, of, change } of this.#caseInputs) {
      const text = feeds[of] as Tensor;
      all[name] = { ...text, data: (text.data as string[]).map((value) => changeCase(value, change)) };
    }
    return all;
  }
}

/** One output of several runs as one tensor: of as many boxes for each image, say, or nobody could tell which are whose. */
function joinAnswers(name: string, results: readonly Answers[]): Tensor {
  const tensors = results.map((result) => result[name] as Tensor);
  const [shape, ...others] = new Set(tensors.map((tensor) => tensor.shape.join(', ')));
  if (tensors.length > 1 && (shape === '' || others.length > 0))
    throw new InlayError(
      'INPUT_INVALID',
      `the model takes one row at a time, and output ${name} has no shape that all rows share: [${shape}]${others.length > 0 ? `, [${others[0]}]` : ''}`,
      { hint: 'Send each row in a request of its own.' },
    );
  return concatRows(tensors);
}

/** Whether the graph promises a first dimension of exactly one for each input: such rows are run one by one. */
export function takesOneRow(inputs: readonly TensorSpec[]): boolean {
  return inputs.length > 0 && inputs.every((spec) => spec.shape.length > 1 && spec.shape[0] === 1);
}

function checkNames(native: NativeModel, contract: Contract): void {
  const promised = [
    ...contract.inputs.map(({ name }) => `input ${name}`),
    ...contract.outputs.map(({ name }) => `output ${name}`),
  ];
  const there = new Set([
    ...native.inputNames.map((name) => `input ${name}`),
    ...native.outputNames.map((name) => `output ${name}`),
  ]);
  const missing = promised.filter((name) => !there.has(name));
  if (missing.length > 0) {
    throw new InlayError('CONTRACT_INVALID', `the model has no ${missing.join(', no ')}, which its contract promises`, {
      hint: `It has ${[...there].join(', ')}. Build the image again.`,
    });
  }
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]?.slice(0, 300) ?? '';
}
