import { createRequire } from 'node:module';
import type { Tensor as OrtTensor, TypedTensor } from 'onnxruntime-node';
import type { Datatype, Tensor, TensorData } from '../../contract/index.ts';
import type { Answers, Feeds } from '../session.ts';
import { findOnnxRuntime } from './library-place.ts';
import type { NativeModel, NativeOptions } from './native-model.ts';
import { disableTelemetry } from './telemetry.ts';

/** onnxruntime-node's native binding, below its InferenceSession, which waits a turn of the event loop in each run. */
interface NativeSession {
  loadModel(path: string, options: object): void;
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  readonly inputMetadata: readonly { readonly name: string }[];
  readonly outputMetadata: readonly { readonly name: string }[];
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, null>>,
    options: object,
  ): Readonly<Record<string, OrtTensor>>;
  dispose(): void;
}

type OrtType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string';

/** The binding's names of our datatypes. */
const ORT_TYPES: Readonly<Record<Datatype, OrtType>> = {
  FP32: 'float32',
  FP64: 'float64',
  FP16: 'float16',
  INT8: 'int8',
  UINT8: 'uint8',
  INT16: 'int16',
  UINT16: 'uint16',
  INT32: 'int32',
  UINT32: 'uint32',
  INT64: 'int64',
  UINT64: 'uint64',
  BOOL: 'bool',
  BYTES: 'string',
};
const DATATYPE_OF = Object.fromEntries(Object.entries(ORT_TYPES).map(([datatype, type]) => [type, datatype])) as Record<
  OrtType,
  Datatype
>;

type TensorConstructor = new (type: OrtType, data: TensorData, dims: readonly number[]) => TypedTensor<OrtType>;

/** Loads a model through onnxruntime-node. The package is pinned to one version, so what lies behind its door is known. */
export async function openNodeModel(
  model: string | Uint8Array,
  { intraOpNumThreads, interOpNumThreads, config }: NativeOptions,
): Promise<NativeModel> {
  disableTelemetry();
  const folder = await findOnnxRuntime();
  // Not by name: it may lie in inlay's cache.
  const load = createRequire(`${folder}/package.json`);
  const { binding, initOrt } = load(`${folder}/dist/binding.js`) as {
    binding: { InferenceSession: new () => NativeSession };
    initOrt: () => void;
  };
  const { Tensor: OrtTensorClass } = load('onnxruntime-common') as { Tensor: TensorConstructor };
  initOrt();
  const native = new binding.InferenceSession();
  // It joins the names of nested objects with dots.
  const options = { intraOpNumThreads, interOpNumThreads, logSeverityLevel: 4, extra: config };
  if (typeof model === 'string') native.loadModel(model, options);
  else native.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
  return {
    inputNames: native.inputMetadata.map(({ name }) => name),
    outputNames: native.outputMetadata.map(({ name }) => name),
    run: (feeds, names) => run(native, OrtTensorClass, feeds, names),
    close: () => native.dispose(),
  };
}

function run(native: NativeSession, TensorClass: TensorConstructor, feeds: Feeds, names: readonly string[]): Answers {
  const given = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(TensorClass, tensor)]));
  const results = native.run(given, Object.fromEntries(names.map((name) => [name, null])), {});
  return Object.fromEntries(names.map((name) => [name, fromOrt(results[name] as OrtTensor)]));
}

function toOrt(TensorClass: TensorConstructor, tensor: Tensor): OrtTensor {
  // Bun's Node-API does not know Float16Array, and the class makes one of whatever it gets: the binding takes the bits.
  if (tensor.data instanceof Float16Array) {
    const { buffer, byteOffset, length } = tensor.data;
    const bits = new Uint16Array(buffer, byteOffset, length);
    return { type: 'float16', dims: tensor.shape, data: bits, cpuData: bits, location: 'cpu' } as never;
  }
  return new TensorClass(ORT_TYPES[tensor.datatype], tensor.data, tensor.shape);
}

function fromOrt(tensor: OrtTensor): Tensor {
  const datatype = DATATYPE_OF[tensor.type as OrtType];
  const data = tensor.data as TensorData;
  // Some versions of the binding hand float16 out as its bits.
  const values =
    datatype === 'FP16' && data instanceof Uint16Array
      ? new Float16Array(data.buffer, data.byteOffset, data.length)
      : data;
  return { datatype, shape: tensor.dims, data: values };
}
