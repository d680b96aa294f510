// valibot, not zod: this is bundled into the image.
import * as v from 'valibot';
import { InlayError } from '../error/index.ts';
import { DATATYPES, type Datatype, describeSpec, isFloat, type TensorSpec } from './datatype.ts';
import { type RawCase, rawCaseOf, rawCaseSchema } from './golden-raw.ts';
import type { ClassLabels } from './onnx/model-facts.ts';
import { convertTensor, jsonValues, parseTensor, type Tensor } from './tensor.ts';

const values = v.record(v.string(), v.unknown());
const tolerance = v.pipe(v.number(), v.minValue(0));
const goldenSchema = v.strictObject({
  /** 2 where there are raw cases. */
  schemaVersion: v.optional(v.picklist([1, 2])),
  tolerance: v.optional(v.union([tolerance, v.record(v.string(), tolerance)])),
  /** What training imported, by the name that pip knows. */
  environment: v.optional(v.record(v.string(), v.string())),
  /** numpy's dtype of each input and output, as training had them. */
  dtypes: v.optional(v.record(v.string(), v.string())),
  cases: v.pipe(v.array(v.strictObject({ inputs: values, outputs: values })), v.minLength(1)),
  raw: v.optional(v.array(rawCaseSchema)),
  /** Of numbers in the answers of raw cases. */
  rawTolerance: v.optional(tolerance),
});

/** How far a float may be from what training saw where the golden file does not say. */
const DEFAULT_TOLERANCE = 1e-5;

/** What training answered: inputs, and the outputs that it saw, to be answered again by whatever serves the model. */
export interface Golden {
  readonly environment: Readonly<Record<string, string>>;
  /** Inputs that training had in another width of float than the model: `x is float64 in golden.json and float32 in the model`. */
  readonly casts: readonly string[];
  readonly cases: readonly GoldenCase[];
  /** Allowed difference of an output: absolute, or relative to values beyond 1. */
  readonly tolerance: (output: string) => number;
  /** Requests as a transform gets them, with their final answers. */
  readonly raw: readonly RawCase[];
  /** Allowed difference of a number in the answers of raw cases, absolute, or relative to values beyond 1. */
  readonly rawTolerance: number;
}

/** What a model takes and gives. */
export interface Tensors {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface GoldenCase {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Where an answer is farthest from what training saw. */
export interface Difference {
  readonly output: string;
  /** Counted over all cases, from 0. */
  readonly row: number;
  readonly expected: number | string | boolean;
  readonly actual: number | string | boolean;
  /** In units of the output; 1 for labels and strings that differ. */
  readonly size: number;
  readonly allowed: number;
}

/**
 * Reads golden.json or golden.npz and holds its inputs and outputs against the contract.
 * @param content the file's bytes @param file how to name it; .npz is an archive of arrays, all else is JSON
 * @throws GOLDEN_INVALID; GOLDEN_DTYPE when training had another kind of value than the model takes
 */
export function parseGolden(content: Uint8Array, file: string, contract: Tensors, classes?: ClassLabels): Golden {
  const document = file.endsWith('.npz') ? readNpz(content, file) : readJson(content, file);
  const parsed = v.safeParse(goldenSchema, document);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new InlayError('GOLDEN_INVALID', `${file}: ${v.getDotPath(issue) ?? 'top'}: ${issue.message}`, {
      cause: new v.ValiError(parsed.issues),
      hint: 'Write {"tolerance": 1e-5, "cases": [{"inputs": {NAME: …}, "outputs": {NAME: …}}]}; inlay_golden does.',
    });
  }
  const data = parsed.output;
  if (data.raw && data.schemaVersion === 1)
    throw new InlayError('GOLDEN_INVALID', `${file}: raw cases need schemaVersion 2`, {
      hint: 'inlay_golden writes it so.',
    });
  const allowed = data.tolerance ?? DEFAULT_TOLERANCE;
  return {
    environment: data.environment ?? {},
    casts: castsOf(file, data.dtypes ?? {}, contract),
    tolerance: (output) => (typeof allowed === 'number' ? allowed : (allowed[output] ?? DEFAULT_TOLERANCE)),
    raw: (data.raw ?? []).map((one, i) => rawCaseOf(one, `${file}: raw ${i}`)),
    rawTolerance: data.rawTolerance ?? (typeof allowed === 'number' ? allowed : DEFAULT_TOLERANCE),
    cases: data.cases.map((one, i) => {
      const at = `${file}: case ${i}`;
      const missing = contract.inputs.find((spec) => !(spec.name in one.inputs));
      if (missing)
        throw new InlayError('GOLDEN_INVALID', `${at} has no input ${missing.name} ${describeSpec(missing)}`);
      if (Object.keys(one.outputs).length === 0) throw new InlayError('GOLDEN_INVALID', `${at} has no outputs`);
      return {
        inputs: tensors(at, 'input', one.inputs, contract.inputs),
        outputs: tensors(at, 'output', flattenMaps(one.outputs, classes), contract.outputs),
      };
    }),
  };
}

/** The reader of archives is loaded when there is one: its tables take as long to make as the rest of a server's modules. */
function readNpz(content: Uint8Array, file: string): unknown {
  const { readGoldenNpz } = require('./golden-npz.ts') as typeof import('./golden-npz.ts');
  return readGoldenNpz(content, file);
}

function readJson(content: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (cause) {
    throw new InlayError('GOLDEN_INVALID', `${file} is not JSON`, {
      cause,
      hint: 'inlay_golden writes it at the end of training.',
    });
  }
}

/** The largest difference between what training saw and what is answered now, in units of what is allowed. */
export function worstDifference(
  golden: Golden,
  answers: readonly Readonly<Record<string, Tensor>>[],
): Difference | undefined {
  let worst: Difference | undefined;
  let rowsBefore = 0;
  for (const [i, one] of golden.cases.entries()) {
    let rows = 1;
    for (const [output, expected] of Object.entries(one.outputs)) {
      const actual = answers[i]?.[output];
      rows = expected.shape[0] ?? 1;
      if (!actual || actual.data.length !== expected.data.length) {
        return {
          output,
          row: rowsBefore,
          expected: `shape ${expected.shape}`,
          actual: `shape ${actual?.shape}`,
          size: Number.POSITIVE_INFINITY,
          allowed: 0,
        };
      }
      const found = worstOf(output, expected, actual, golden.tolerance(output), rowsBefore);
      if (found && (!worst || excess(found) > excess(worst))) worst = found;
    }
    rowsBefore += rows;
  }
  return worst;
}

export function exceeds(difference: Difference): boolean {
  return excess(difference) > 1;
}

/** 1 is just allowed. */
function excess({ size, allowed }: Difference): number {
  return size === 0 ? 0 : allowed === 0 ? Number.POSITIVE_INFINITY : size / allowed;
}

function worstOf(
  output: string,
  expected: Tensor,
  actual: Tensor,
  tolerance: number,
  rowsBefore: number,
): Difference | undefined {
  const wanted = jsonValues(expected);
  const got = jsonValues(actual);
  const width = Math.max(1, wanted.length / Math.max(1, expected.shape[0] ?? 1));
  let worst: Difference | undefined;
  for (let i = 0; i < wanted.length; i++) {
    const a = wanted[i] as number | string | boolean;
    const b = got[i] as number | string | boolean;
    const exact = !isFloat(actual.datatype);
    const size = exact ? Number(a !== b) : distance(a as number, b as number);
    const allowed = exact ? 0 : tolerance * Math.max(1, Math.abs(a as number));
    const found = { output, row: rowsBefore + Math.floor(i / width), expected: a, actual: b, size, allowed };
    if (!worst || excess(found) > excess(worst)) worst = found;
  }
  return worst;
}

function distance(a: number, b: number): number {
  if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const size = Math.abs(a - b);
  return Number.isNaN(size) ? Number.POSITIVE_INFINITY : size;
}

function tensors(
  at: string,
  role: 'input' | 'output',
  given: Readonly<Record<string, unknown>>,
  specs: readonly TensorSpec[],
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const spec = specs.find((known) => known.name === name);
      if (!spec) {
        throw new InlayError('GOLDEN_INVALID', `${at}: the model has no ${role} ${name}`, {
          hint: `It has ${specs.map((s) => s.name).join(', ')}.`,
        });
      }
      try {
        const taken = role === 'output' ? looser(spec) : spec;
        return [name, isTensor(value) ? convertTensor(taken, value) : parseTensor(taken, value)];
      } catch (cause) {
        const message = (cause as Error).message.replace(/^input \S+ takes/, 'it takes');
        throw new InlayError('GOLDEN_INVALID', `${at}: ${role} ${name}: ${message}`, {
          cause,
          ...(role === 'input' && isFloat(spec.datatype) && /has null at/.test(message)
            ? {
                hint: 'null is NaN, a missing value: write missing: nan in inlay.yaml if the model was trained on such.',
              }
            : {}),
        });
      }
    }),
  );
}

function isTensor(value: unknown): value is Tensor {
  return value !== null && typeof value === 'object' && 'datatype' in value && 'data' in value;
}

/** A graph may promise a fixed number of rows for an output that follows the rows of its inputs. */
function looser(spec: TensorSpec): TensorSpec {
  return { ...spec, shape: spec.shape.map((size, axis) => (axis === 0 ? -1 : size)) };
}

/** What Python's onnxruntime answers for ZipMap, a list of {class: probability}, as a matrix in the order of the classes. */
function flattenMaps(
  outputs: Readonly<Record<string, unknown>>,
  classes: ClassLabels | undefined,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => {
      const maps =
        Array.isArray(value) &&
        value.length > 0 &&
        value.every((row) => row !== null && typeof row === 'object' && !Array.isArray(row));
      if (!maps || !classes) return [name, value];
      return [
        name,
        (value as Record<string, unknown>[]).map((row) => classes.values.map((label) => row[String(label)])),
      ];
    }),
  );
}

/**
 * Where training had another datatype than the model. Between floats of other widths the answers decide: replaying the
 * cases tells whether the cast changes them. Outputs may be wider than the model's, as scikit-learn's are.
 * @throws GOLDEN_DTYPE where no cast leads from one to the other
 */
function castsOf(file: string, dtypes: Readonly<Record<string, string>>, { inputs, outputs }: Tensors): string[] {
  const casts: string[] = [];
  for (const [role, specs] of [
    ['input', inputs],
    ['output', outputs],
  ] as const) {
    for (const spec of specs) {
      const trained = dtypes[spec.name];
      const served: string = DATATYPES[spec.datatype].numpy;
      if (trained === undefined || same(trained, spec.datatype)) continue;
      const told = `${spec.name} is ${trained} in ${file} and ${served} in the model`;
      if (!isFloat(spec.datatype) || !/^float(16|32|64)$/.test(trained))
        throw new InlayError('GOLDEN_DTYPE', `${role} ${told}`, {
          hint: `Training and the model see other values: cast to ${served} in training, or export the model with ${trained}.`,
        });
      if (role === 'input') casts.push(told);
    }
  }
  return casts;
}

function same(numpy: string, datatype: Datatype): boolean {
  if (datatype === 'BYTES') return /^(<?U\d*|object|str|string|S\d*|\|S\d+)$/.test(numpy);
  return numpy === DATATYPES[datatype].numpy;
}
