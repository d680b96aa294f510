import { CString, type Pointer, ptr, read } from 'bun:ffi';
import { allocate, DATATYPES, type Datatype, elementCount, type Tensor } from '../../contract/index.ts';
import type { Answers, Feeds } from '../session.ts';
import { type Call, check, cString, FATAL, type Library, loadLibrary, OUT, OUT_AT } from './c-api.ts';
import { readTexts, writeTexts } from './c-texts.ts';
import type { NativeModel, NativeOptions } from './native-model.ts';

const MOST_DIMENSIONS = 64;
const POINTER_BYTES = 8;
/** By ONNXTensorElementDataType, which has the numbers of ONNX's own TensorProto.DataType. */
const DATATYPE_OF = new Map<number, Datatype>(
  Object.entries(DATATYPES).map(([name, { onnx }]) => [onnx, name as Datatype]),
);

/** Names as C has them: an array of pointers. */
interface NameList {
  readonly names: readonly string[];
  readonly pointers: BigUint64Array;
  /** What the pointers point at. */
  readonly texts: readonly Uint8Array[];
}

/**
 * A model through ONNX Runtime's C API: beside what the library takes, a run costs about a microsecond. onnxruntime-node's
 * binding makes and reads objects of JavaScript's through Node-API, which takes longer than a small model does.
 */
export class CModel implements NativeModel {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #library: Library;
  readonly #session: Pointer;
  /** By the very list: callers ask with a few lists of their own again and again. */
  readonly #lists = new Map<readonly string[], NameList>();
  #inputs: NameList;
  /** The OrtValues of a run: inputs, then outputs. */
  readonly #values: BigUint64Array;
  readonly #valuesAt: number;
  /** Dimensions as int64, lower half first. */
  readonly #dims = new Uint32Array(new ArrayBuffer(MOST_DIMENSIONS * 8));
  readonly #dimsAt: number = ptr(this.#dims);
  /** Keeps the arrays of a run from the collector, which does not see that the library reads them. */
  // biome-ignore lint/correctness/noUnusedPrivateClassMembers: that it is held is its use
  #held: Feeds | undefined;

  /** @throws Error */
  constructor(model: string | Uint8Array, options: NativeOptions) {
    this.#library = loadLibrary();
    const { api } = this.#library;
    this.#session = openSession(this.#library, model, options);
    this.inputNames = this.#namesOf(api.SessionGetInputCount, api.SessionGetInputName);
    this.outputNames = this.#namesOf(api.SessionGetOutputCount, api.SessionGetOutputName);
    this.#inputs = nameList(this.inputNames);
    const count = this.inputNames.length + this.outputNames.length;
    this.#values = new BigUint64Array(new ArrayBuffer(count * POINTER_BYTES));
    this.#valuesAt = ptr(this.#values);
  }

  run(feeds: Feeds, names: readonly string[]): Answers {
    const { api } = this.#library;
    const inputs = this.#inputsOf(feeds);
    const outputs = this.#outputsOf(names);
    const outputsAt = this.#valuesAt + inputs.names.length * POINTER_BYTES;
    // An output that is not null is one to be written to.
    this.#values.fill(0n);
    this.#held = feeds;
    try {
      let at = this.#valuesAt;
      for (const name of inputs.names) {
        this.#create(feeds[name] as Tensor, at);
        at += POINTER_BYTES;
      }
      check(
        api.Run(
          this.#session,
          null,
          inputs.pointers,
          this.#valuesAt,
          inputs.names.length,
          outputs.pointers,
          names.length,
          outputsAt,
        ),
      );
      const answers: Record<string, Tensor> = {};
      at = outputsAt;
      for (const name of names) {
        answers[name] = this.#read(read.ptr(at as Pointer) as Pointer);
        at += POINTER_BYTES;
      }
      return answers;
    } finally {
      this.#held = undefined;
      for (let i = 0; i < inputs.names.length + names.length; i++) {
        const value = read.ptr(this.#valuesAt as Pointer, i * POINTER_BYTES);
        if (value !== 0) api.ReleaseValue(value as Pointer);
      }
    }
  }

  close(): void {
    this.#library.api.ReleaseSession(this.#session);
  }

  /** Writes an OrtValue's pointer to `out`. It lies on the tensor's own memory, texts apart. */
  #create({ datatype, shape, data }: Tensor, out: number): void {
    const { api, allocator, memoryInfo } = this.#library;
    if (shape.length > MOST_DIMENSIONS) throw new Error(`a tensor has ${shape.length} dimensions`);
    for (let axis = 0; axis < shape.length; axis++) {
      const size = shape[axis] as number;
      this.#dims[2 * axis] = size % 2 ** 32;
      this.#dims[2 * axis + 1] = Math.floor(size / 2 ** 32);
    }
    const { onnx } = DATATYPES[datatype];
    if (Array.isArray(data)) {
      check(api.CreateTensorAsOrtValue(allocator, this.#dimsAt, shape.length, onnx, out));
      writeTexts(this.#library, read.ptr(out as Pointer) as Pointer, data);
      return;
    }
    // An array without values has no address.
    const address = data.length === 0 ? this.#dimsAt : data;
    const { byteLength } = data;
    check(api.CreateTensorWithDataAsOrtValue(memoryInfo, address, byteLength, this.#dimsAt, shape.length, onnx, out));
  }

  /** A copy of an OrtValue. */
  #read(value: Pointer): Tensor {
    const { api, memcpy } = this.#library;
    check(api.GetTensorTypeAndShape(value, OUT));
    const info = read.ptr(OUT_AT) as Pointer;
    check(api.GetTensorElementType(info, OUT));
    const datatype = DATATYPE_OF.get(read.u32(OUT_AT));
    check(api.GetDimensionsCount(info, OUT));
    const rank = read.u32(OUT_AT);
    if (rank > MOST_DIMENSIONS || datatype === undefined)
      throw new Error('an output has a type that cannot be answered');
    check(api.GetDimensions(info, this.#dimsAt, rank));
    api.ReleaseTensorTypeAndShapeInfo(info);
    const shape: number[] = [];
    for (let axis = 0; axis < rank; axis++)
      shape.push((this.#dims[2 * axis] as number) + (this.#dims[2 * axis + 1] as number) * 2 ** 32);
    const count = elementCount(shape);
    if (datatype === 'BYTES') return { datatype, shape, data: readTexts(this.#library, value, count) };
    const data = allocate(datatype, count) as Exclude<Tensor['data'], string[]>;
    if (count > 0) {
      check(api.GetTensorMutableData(value, OUT));
      memcpy(data, read.ptr(OUT_AT) as Pointer, data.byteLength);
    }
    return { datatype, shape, data };
  }

  /** The names of the inputs that are given: nearly always the same ones in the same order. */
  #inputsOf(feeds: Feeds): NameList {
    const { names } = this.#inputs;
    let count = 0;
    for (const name in feeds) if (names[count++] !== name) count = Number.NaN;
    if (count !== names.length) {
      const given = Object.keys(feeds);
      if (given.length > this.inputNames.length)
        throw new Error(`the model has the inputs ${this.inputNames.join(', ')}`);
      this.#inputs = nameList(given);
    }
    return this.#inputs;
  }

  #outputsOf(names: readonly string[]): NameList {
    const known = this.#lists.get(names);
    if (known) return known;
    if (names.length > this.outputNames.length)
      throw new Error(`the model has the outputs ${this.outputNames.join(', ')}`);
    const list = nameList(names);
    // Others are not worth keeping.
    if (this.#lists.size < 16) this.#lists.set(names, list);
    return list;
  }

  #namesOf(count: Call, nameAt: Call): string[] {
    const { api, allocator } = this.#library;
    check(count(this.#session, OUT));
    const names: string[] = [];
    for (let i = 0, all = read.u32(OUT_AT); i < all; i++) {
      check(nameAt(this.#session, i, allocator, OUT));
      const at = read.ptr(OUT_AT) as Pointer;
      names.push(new CString(at).toString());
      check(api.AllocatorFree(allocator, at));
    }
    return names;
  }
}

function openSession({ api, env }: Library, model: string | Uint8Array, options: NativeOptions): Pointer {
  check(api.CreateSessionOptions(OUT));
  const sessionOptions = read.ptr(OUT_AT) as Pointer;
  try {
    check(api.SetIntraOpNumThreads(sessionOptions, options.intraOpNumThreads));
    check(api.SetInterOpNumThreads(sessionOptions, options.interOpNumThreads));
    check(api.SetSessionLogSeverityLevel(sessionOptions, FATAL));
    for (const [key, value] of Object.entries(options.config))
      check(api.AddSessionConfigEntry(sessionOptions, cString(key), cString(value)));
    check(
      typeof model === 'string'
        ? api.CreateSession(env, cString(model), sessionOptions, OUT)
        : api.CreateSessionFromArray(env, model, model.byteLength, sessionOptions, OUT),
    );
    return read.ptr(OUT_AT) as Pointer;
  } finally {
    api.ReleaseSessionOptions(sessionOptions);
  }
}

function nameList(names: readonly string[]): NameList {
  // Memory of its own each: a Buffer's pool may move what is short.
  const texts = names.map((name) => new Uint8Array(cString(name)));
  const pointers = new BigUint64Array(new ArrayBuffer(Math.max(1, names.length) * POINTER_BYTES));
  texts.forEach((text, i) => {
    pointers[i] = BigInt(ptr(text));
  });
  return { names, pointers, texts };
}
