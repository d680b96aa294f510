// The interface of a transform, for those who write one: `import type { Transform } from 'inlay/transform'`. It stands by itself,
// and nothing of it is there at run time: a transform imports types only, so its bytes do not depend on inlay's version.

/** A datatype by its Open Inference Protocol name; BYTES is text. */
export type Datatype =
  | 'BOOL'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FP16'
  | 'FP32'
  | 'FP64'
  | 'BYTES';

/** Values in row-major order, the array that fits the datatype: Float32Array for FP32, Uint8Array for UINT8 and BOOL (0 and 1). */
export type TensorData =
  | Float32Array
  | Float64Array
  | Float16Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

/** What the model takes or gives: a dimension of -1 is free. */
export interface TensorInfo {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** An input of the model. */
export interface InputTensor {
  readonly data: TensorData;
  readonly shape: readonly number[];
}

/** An output of the model. */
export interface OutputTensor extends InputTensor {
  readonly datatype: Datatype;
}

/** What came. */
export interface TransformRequest {
  /** Its media type, lower case and without parameters: one that the transform accepts. */
  readonly contentType: string;
  /** The body; of a form (multipart/form-data) the one file in it. */
  readonly bytes: Uint8Array;
  /** The body as UTF-8 text; a body that is none is refused (400). */
  text(): string;
  /** The body as a JSON value; a body that is none is refused (400). */
  json(): unknown;
}

/** The model that the transform belongs to. */
export interface TransformModel {
  readonly name: string;
  readonly version: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Class names in the order of the prediction's columns; empty where the model has none. */
  readonly labels: readonly string[];
  /**
   * What to throw for a request that is the client's mistake: it is answered 400 with these words. Anything else that is thrown is
   * answered 500, and only the log tells what it was.
   * @param hint what to do about it
   */
  badRequest(message: string, hint?: string): Error;
}

/** The default export of transform.ts. */
export interface Transform {
  /** Media types of the bodies that it takes, such as `image/png` or `image/*`; `application/json` alone where it does not say. */
  readonly accepts?: readonly string[];
  /** Makes the model's inputs of a request: each by its name, all with the same number of rows where these are free. */
  preprocess(
    request: TransformRequest,
    model: TransformModel,
  ): Readonly<Record<string, InputTensor>> | Promise<Readonly<Record<string, InputTensor>>>;
  /**
   * Makes the answer of the model's outputs: a JSON value, the whole body. Without it the answer is `{"prediction": ...}`, as it is
   * without a transform.
   */
  postprocess?(
    outputs: Readonly<Record<string, OutputTensor>>,
    model: TransformModel,
    request: TransformRequest,
  ): unknown | Promise<unknown>;
}
