import { CString, dlopen, linkSymbols, type Pointer, ptr, read } from 'bun:ffi';
import { onnxRuntimePlace } from './library-place.ts';
import { disableTelemetry } from './telemetry.ts';

/**
 * Where functions stand in `struct OrtApi` (onnxruntime_c_api.h), and what they take: the table only ever grows at its
 * end, so that these places hold for every later version. They return an OrtStatus, null where all went well; those called
 * Release… return nothing. An `out` is where a result is written to.
 */
const FUNCTIONS = {
  GetErrorMessage: [2, 'status'],
  CreateEnv: [3, 'level', 'name', 'out'],
  CreateSession: [7, 'env', 'path', 'options', 'out'],
  CreateSessionFromArray: [8, 'env', 'bytes', 'size', 'options', 'out'],
  Run: [9, 'session', 'runOptions', 'inputNames', 'inputs', 'size', 'outputNames', 'size', 'out'],
  CreateSessionOptions: [10, 'out'],
  SetSessionLogSeverityLevel: [22, 'options', 'level'],
  SetIntraOpNumThreads: [24, 'options', 'threads'],
  SetInterOpNumThreads: [25, 'options', 'threads'],
  SessionGetInputCount: [30, 'session', 'out'],
  SessionGetOutputCount: [31, 'session', 'out'],
  SessionGetInputName: [36, 'session', 'size', 'allocator', 'out'],
  SessionGetOutputName: [37, 'session', 'size', 'allocator', 'out'],
  CreateTensorAsOrtValue: [48, 'allocator', 'dims', 'size', 'elementType', 'out'],
  CreateTensorWithDataAsOrtValue: [49, 'memoryInfo', 'data', 'size', 'dims', 'size', 'elementType', 'out'],
  GetTensorMutableData: [51, 'value', 'out'],
  GetStringTensorDataLength: [53, 'value', 'out'],
  GetStringTensorContent: [54, 'value', 'data', 'size', 'offsets', 'size'],
  GetTensorElementType: [60, 'info', 'out'],
  GetDimensionsCount: [61, 'info', 'out'],
  GetDimensions: [62, 'info', 'out', 'size'],
  GetTensorTypeAndShape: [65, 'value', 'out'],
  CreateCpuMemoryInfo: [69, 'allocatorType', 'memoryType', 'out'],
  AllocatorFree: [76, 'allocator', 'data'],
  GetAllocatorWithDefaultOptions: [78, 'out'],
  ReleaseStatus: [93, 'status'],
  ReleaseSession: [95, 'session'],
  ReleaseValue: [96, 'value'],
  ReleaseTensorTypeAndShapeInfo: [99, 'info'],
  ReleaseSessionOptions: [100, 'options'],
  AddSessionConfigEntry: [130, 'options', 'name', 'name'],
  GetResizedStringTensorElementBuffer: [252, 'value', 'size', 'size', 'out'],
} as const;
/** The first version of the C API that has all of them. */
const API_VERSION = 17;

/** Arguments that are no addresses: an int or an enum, and size_t. */
const NUMBERS: Readonly<Record<string, 'i32' | 'u64'>> = {
  level: 'i32',
  threads: 'i32',
  elementType: 'i32',
  allocatorType: 'i32',
  memoryType: 'i32',
  size: 'u64',
};

/** An address, or an array whose values lie there. */
export type Address = number | NodeJS.TypedArray | null;
export type Call = (...values: readonly Address[]) => Pointer | null;
export type OrtApi = Readonly<Record<keyof typeof FUNCTIONS, Call>>;

/** ONNX Runtime's C API, with libc's memcpy, which takes what the library wrote. */
export interface Library {
  readonly api: OrtApi;
  readonly env: Pointer;
  readonly allocator: Pointer;
  readonly memoryInfo: Pointer;
  readonly memcpy: (to: Address, from: Address, size: number) => void;
}

let loaded: Library | undefined;

/** Loads the library, once, with its telemetry off. @throws when there is none for this machine */
export function loadLibrary(): Library {
  loaded ??= load();
  return loaded;
}

/** Calls of one thread share it: a result is read before the next call. Its memory is outside of the collector's reach. */
export const OUT = new BigUint64Array(new ArrayBuffer(8));
export const OUT_AT: Pointer = ptr(OUT);

/** Throws what a status says. */
export function check(status: Pointer | null): void {
  if (status === null) return;
  const { api } = loaded as Library;
  const message = new CString(api.GetErrorMessage(status) as Pointer).toString();
  api.ReleaseStatus(status);
  throw new Error(message);
}

/** A text as C has it. */
export function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}

function load(): Library {
  disableTelemetry();
  const file = `${onnxRuntimePlace()}/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`;
  const { symbols } = dlopen(file, { OrtGetApiBase: { args: [], returns: 'ptr' } });
  const base = symbols.OrtGetApiBase() as Pointer;
  const { getApi } = linkSymbols({
    getApi: { ptr: read.ptr(base, 0) as Pointer, args: ['u32'], returns: 'ptr' },
  }).symbols;
  const table = getApi(API_VERSION);
  if (table === null) throw new Error(`ONNX Runtime has no API of version ${API_VERSION}`);
  const api = linkSymbols(
    Object.fromEntries(
      Object.entries(FUNCTIONS).map(([name, [place, ...takes]]) => [
        name,
        {
          ptr: read.ptr(table, place * 8) as Pointer,
          args: takes.map((what) => NUMBERS[what] ?? 'ptr'),
          returns: name.startsWith('Release') ? 'void' : 'ptr',
        },
      ]),
    ),
  ).symbols as unknown as OrtApi;
  const { memcpy } = dlopen('libc.so.6', { memcpy: { args: ['ptr', 'ptr', 'u64'], returns: 'void' } }).symbols;
  const made = (status: Pointer | null): Pointer => {
    if (status !== null) throw new Error(new CString(api.GetErrorMessage(status) as Pointer).toString());
    return read.ptr(OUT_AT) as Pointer;
  };
  return {
    api,
    env: made(api.CreateEnv(FATAL, cString('inlay'), OUT)),
    allocator: made(api.GetAllocatorWithDefaultOptions(OUT)),
    memoryInfo: made(api.CreateCpuMemoryInfo(ARENA_ALLOCATOR, DEFAULT_MEMORY, OUT)),
    memcpy: memcpy as Library['memcpy'],
  };
}

/** OrtLoggingLevel. Only fatal: what fails is thrown as well, and a variation that the batch proof sees refused is no news. */
export const FATAL = 4;
/** OrtAllocatorType, OrtMemType. */
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;
