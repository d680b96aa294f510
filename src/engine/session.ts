import { type CaseInput, type Contract, changeCase, type Tensor, type TensorSpec } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { loadOrt, type NativeSession, type Ort } from './binding.ts';
import { openModel } from './model-file.ts';
import { concatRows, fromOrt, sliceRows, toOrt } from './ort-tensor.ts';

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
  readonly #ort: Ort;
  readonly #native: NativeSession;
  readonly #caseInputs: readonly CaseInput[];
  readonly #rowByRow: boolean;
  /** By the names asked for, joined: the binding wants an object with each name. */
  readonly #fetches = new Map<readonly string[], Readonly<Record<string, null>>>();

  private constructor(ort: Ort, native: NativeSession, contract: Contract, caseInputs: readonly CaseInput[]) {
    this.#ort = ort;
    this.#native = native;
    this.#caseInputs = caseInputs;
    this.#rowByRow = takesOneRow(contract.inputs);
  }

  /**
   * Loads the model and proves that it has the inputs and outputs that the contract promises.
   * @throws FILE_NOT_FOUND, FILE_UNREADABLE, INTEGRITY_MISMATCH, MODEL_LOAD_FAILED, CONTRACT_INVALID
   */
  static async load({ contract, modelPath, threads }: SessionSpec): Promise<Session> {
    const ort = await loadOrt();
    const { model, folder, caseInputs } = await openModel(modelPath, contract);
    const native = new ort.NativeSession();
    const options = {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Fatal only: what fails is thrown as well, and a variation that the batch proof sees refused is no news.
      logSeverityLevel: 4,
      extra: {
        // Idle threads that spin burn CPU and mislead an autoscaler.
        session: { intra_op: { allow_spinning: '0' }, model_external_initializers_file_folder_path: folder },
      },
    };
    try {
      if (typeof model === 'string') native.loadModel(model, options);
      else native.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
    } catch (cause) {
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
    return new Session(ort, native, contract, caseInputs);
  }

  /**
   * Runs the model. Inputs of exactly one row are run row by row.
   * @throws INPUT_INVALID when inputs have different numbers of rows or the model refuses them
   */
  run(feeds: Feeds, names: readonly string[]): Answers {
    return this.#rowByRow ? this.#runRows(feeds, names) : this.#runOnce(feeds, names);
  }

  /** Frees the native session. The session must not be used afterwards. */
  close(): void {
    this.#native.dispose();
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
    return Object.fromEntries(names.map((name) => [name, concatRows(results.map((result) => result[name] as Tensor))]));
  }

  #runOnce(feeds: Feeds, names: readonly string[]): Answers {
    const ortFeeds: Record<string, ReturnType<typeof toOrt>> = {};
    for (const name in feeds) ortFeeds[name] = toOrt(this.#ort.Tensor, feeds[name] as Tensor);
    for (const { name, of, change } of this.#caseInputs) {
      const text = feeds[of] as Tensor;
      const data = (text.data as string[]).map((value) => changeCase(value, change));
      ortFeeds[name] = toOrt(this.#ort.Tensor, { ...text, data });
    }
    let results: ReturnType<NativeSession['run']>;
    try {
      results = this.#native.run(ortFeeds, this.#fetchesOf(names), {});
    } catch (cause) {
      // The values were checked against the contract, so what is left is a shape that the graph cannot work with.
      throw new InlayError('INPUT_INVALID', `the model refuses these inputs: ${firstLine(cause)}`, { cause });
    }
    const answers: Record<string, Tensor> = {};
    for (const name of names) answers[name] = fromOrt(results[name] as never);
    return answers;
  }

  #fetchesOf(names: readonly string[]): Readonly<Record<string, null>> {
    let fetches = this.#fetches.get(names);
    if (!fetches) {
      fetches = Object.fromEntries(names.map((name) => [name, null]));
      // Callers ask with a few lists of their own again and again; others are not worth keeping.
      if (this.#fetches.size < 16) this.#fetches.set(names, fetches);
    }
    return fetches;
  }
}

/** Whether the graph promises a first dimension of exactly one for each input: such rows are run one by one. */
export function takesOneRow(inputs: readonly TensorSpec[]): boolean {
  return inputs.length > 0 && inputs.every((spec) => spec.shape.length > 1 && spec.shape[0] === 1);
}

function checkNames(native: NativeSession, contract: Contract): void {
  const promised = [
    ...contract.inputs.map(({ name }) => `input ${name}`),
    ...contract.outputs.map(({ name }) => `output ${name}`),
  ];
  const there = new Set([
    ...native.inputMetadata.map(({ name }) => `input ${name}`),
    ...native.outputMetadata.map(({ name }) => `output ${name}`),
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
