// valibot here, zod elsewhere: this is bundled into the image, which starts 15 ms sooner without zod.
import * as v from 'valibot';
import { InlayError } from '../error/index.ts';
import { DATATYPE_NAMES, describeSpec, isFloat, type TensorSpec } from './datatype.ts';
import type { FileDigest } from './file-digest.ts';
import type { Labels } from './labels.ts';
import type { ModelFacts } from './onnx/model-facts.ts';
import { TASKS, type Task } from './task.ts';
import { nestTensor, parseTensor, type Tensor } from './tensor.ts';

const integer = v.pipe(v.number(), v.integer());

const tensorSpec = v.object({
  name: v.string(),
  datatype: v.picklist(DATATYPE_NAMES),
  shape: v.array(v.pipe(integer, v.minValue(-1))),
  missing: v.optional(v.literal('nan')),
});

/** contract.json: what a model promises, frozen into its image. */
const contractSchema = v.object({
  schemaVersion: v.literal(1),
  name: v.string(),
  version: v.string(),
  task: v.picklist(TASKS),
  model: v.object({
    file: v.string(),
    digest: v.string(),
    sizeBytes: integer,
    irVersion: integer,
    opsets: v.array(v.object({ domain: v.string(), version: integer })),
    producer: v.object({ name: v.string(), version: v.string() }),
    /** Files beside the model that hold its weights. */
    externalData: v.array(v.object({ file: v.string(), digest: v.string(), sizeBytes: integer })),
  }),
  inputs: v.array(tensorSpec),
  outputs: v.array(tensorSpec),
  /** The output that `/predict` answers with. */
  prediction: v.string(),
  labels: v.optional(v.object({ file: v.optional(v.string()), keys: v.array(v.string()), names: v.array(v.string()) })),
  /** The classes as the graph names them, in column order. */
  classes: v.optional(
    v.union([
      v.object({ kind: v.literal('int'), values: v.array(v.number()) }),
      v.object({ kind: v.literal('string'), values: v.array(v.string()) }),
    ]),
  ),
  /** Names of the columns of the one input. */
  features: v.optional(v.array(v.string())),
  /** By input name, nested lists. `generated`: nobody gave one, so it is zeros. */
  sample: v.object({ generated: v.boolean(), inputs: v.record(v.string(), v.unknown()) }),
  /** Answers that training saw; `inImage`: the file lies beside the model. */
  golden: v.optional(
    v.object({
      file: v.string(),
      digest: v.string(),
      cases: integer,
      inImage: v.boolean(),
      /** Cases that hold a transform: requests with their final answers. */
      raw: v.optional(integer),
      /** What training imported, by pip's names. */
      environment: v.record(v.string(), v.string()),
    }),
  ),
  /** Pre- and postprocessing around the model. */
  transform: v.optional(
    v.object({
      /** What it was written as. */
      file: v.string(),
      /** Of all the files that it was bundled into. */
      digest: v.string(),
      /** Media types of the requests that it takes. */
      accepts: v.array(v.string()),
      /** It makes the answer too. */
      postprocess: v.boolean(),
      /** A request that is no file, for those who try it. */
      sample: v.optional(v.object({ contentType: v.string(), text: v.string() })),
    }),
  ),
  /** What training measured: accuracy and the like. */
  metrics: v.optional(v.record(v.string(), v.number())),
  server: v.object({ cpu: v.string(), memory: v.string() }),
  owner: v.optional(v.string()),
  /** Codes of findings that somebody accepted when building (`inlay build --skip`). */
  accepted: v.optional(v.array(v.string())),
});
export type Contract = v.InferOutput<typeof contractSchema>;

/** What the server needs where a contract asks for nothing. */
export const DEFAULT_SERVER = { cpu: '500m', memory: '300Mi' } as const;

/** A file of a model: its name relative to the model, and what is in it. */
export type ModelFile = FileDigest & { readonly file: string };

export interface ContractInput {
  readonly name: string;
  readonly version: string;
  readonly task?: Task | undefined;
  readonly facts: ModelFacts;
  readonly model: ModelFile & { readonly externalData: readonly ModelFile[] };
  readonly labels?: (Labels & { readonly file?: string | undefined }) | undefined;
  readonly features?: readonly string[] | undefined;
  readonly sample?: unknown;
  readonly golden?: Contract['golden'];
  readonly transform?: Contract['transform'];
  readonly metrics?: Readonly<Record<string, number>> | undefined;
  readonly server?: { readonly cpu?: string | undefined; readonly memory?: string | undefined } | undefined;
  readonly owner?: string | undefined;
}

/**
 * Derives the contract from what a person wrote and what the model file says.
 * @throws SAMPLE_INVALID, FEATURES_INVALID when they do not fit the model, MODEL_UNSUPPORTED when nothing can be predicted
 */
export function deriveContract(input: ContractInput): Contract {
  const { facts } = input;
  const task = input.task ?? guessTask(facts, input.labels !== undefined);
  return {
    schemaVersion: 1,
    name: input.name,
    version: input.version,
    task,
    model: {
      file: input.model.file,
      digest: input.model.digest,
      sizeBytes: input.model.sizeBytes,
      irVersion: facts.irVersion,
      opsets: facts.opsets.map((o) => ({ ...o })),
      producer: { ...facts.producer },
      externalData: input.model.externalData.map((one) => ({ ...one })),
    },
    inputs: facts.inputs.map(copySpec),
    outputs: facts.outputs.map(copySpec),
    prediction: predictionOutput(facts, task).name,
    ...(input.labels
      ? {
          labels: {
            ...(input.labels.file ? { file: input.labels.file } : {}),
            keys: [...input.labels.keys],
            names: [...input.labels.names],
          },
        }
      : {}),
    ...(facts.classLabels
      ? { classes: { kind: facts.classLabels.kind, values: [...facts.classLabels.values] } as Contract['classes'] }
      : {}),
    ...(input.features ? { features: featuresOf(facts.inputs, input.features) } : {}),
    sample: sampleOf(facts.inputs, input.sample),
    ...(input.golden ? { golden: input.golden } : {}),
    ...(input.transform ? { transform: input.transform } : {}),
    ...(input.metrics ? { metrics: { ...input.metrics } } : {}),
    server: { cpu: input.server?.cpu ?? DEFAULT_SERVER.cpu, memory: input.server?.memory ?? DEFAULT_SERVER.memory },
    ...(input.owner ? { owner: input.owner } : {}),
  };
}

/** What a model and its external data take on disk, bytes. */
export function modelBytes({ sizeBytes, externalData }: Contract['model']): number {
  return externalData.reduce((sum, file) => sum + file.sizeBytes, sizeBytes);
}

/** contract.json's bytes: one line end, fixed order, so that the same facts give the same digest. */
export function serializeContract(contract: Contract): string {
  return `${JSON.stringify(contract, null, 2)}\n`;
}

/** @throws CONTRACT_INVALID */
export function parseContract(text: string, file: string): Contract {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InlayError('CONTRACT_INVALID', `${file} is not JSON`, {
      cause,
      hint: 'inlay build writes it; do not edit it by hand.',
    });
  }
  const parsed = v.safeParse(contractSchema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new InlayError('CONTRACT_INVALID', `${file}: ${v.getDotPath(issue) ?? 'top'}: ${issue.message}`, {
    cause: new v.ValiError(parsed.issues),
    hint: 'It was written by another version of inlay, or edited. Build the image again.',
  });
}

/**
 * The output that is the prediction: for a classifier the probabilities (ZipMap's, or a float matrix, or one that is
 * called so), else the first float output, else the first.
 */
export function predictionOutput(facts: Pick<ModelFacts, 'outputs' | 'zipMaps'>, task: Task): TensorSpec {
  const { outputs } = facts;
  const floats = outputs.filter((output) => isFloat(output.datatype));
  const zipMapped = outputs.find((output) => facts.zipMaps.some((zipMap) => zipMap.output === output.name));
  const first =
    (task === 'classification'
      ? (zipMapped ?? floats.find((o) => /prob/i.test(o.name)) ?? floats.find((o) => o.shape.length >= 2))
      : undefined) ??
    floats[0] ??
    outputs[0];
  if (!first) throw new InlayError('MODEL_UNSUPPORTED', 'the model has no output');
  return first;
}

function guessTask(facts: ModelFacts, labelled: boolean): Task {
  if (labelled || facts.classLabels) return 'classification';
  const output = predictionOutput(facts, 'other');
  const columns = output.shape.length === 1 ? 1 : output.shape[1];
  return isFloat(output.datatype) && output.shape.length <= 2 && columns === 1 ? 'regression' : 'other';
}

function sampleOf(inputs: readonly TensorSpec[], given: unknown): Contract['sample'] {
  if (given === undefined)
    return { generated: true, inputs: Object.fromEntries(inputs.map((spec) => [spec.name, nestTensor(zeros(spec))])) };
  const byName = Array.isArray(given) ? nameOnly(inputs, given) : (given as Record<string, unknown>);
  const unknown = Object.keys(byName).find((name) => !inputs.some((spec) => spec.name === name));
  if (unknown !== undefined)
    throw new InlayError('SAMPLE_INVALID', `sample: the model has no input ${unknown}`, {
      hint: `Its inputs: ${inputs.map((i) => `${i.name} ${describeSpec(i)}`).join(', ')}.`,
    });
  // The numbers stay as they were written: 5.1 is not shown as the float32 5.099999904632568.
  for (const spec of inputs) checkSample(spec, byName[spec.name]);
  return { generated: false, inputs: Object.fromEntries(inputs.map((spec) => [spec.name, byName[spec.name]])) };
}

/** @throws FEATURES_INVALID */
function featuresOf(inputs: readonly TensorSpec[], features: readonly string[]): string[] {
  const refuse = (message: string, hint: string) =>
    new InlayError('FEATURES_INVALID', `features: ${message}`, { hint });
  const [input, second] = inputs;
  if (!input || second || input.shape.length !== 2)
    throw refuse(
      `they name the columns of one input of rows; this model has ${inputs.map((i) => `${i.name} ${describeSpec(i)}`).join(', ')}`,
      'Leave features out: inputs have names of their own.',
    );
  const twice = features.find((name, i) => features.indexOf(name) !== i);
  if (twice !== undefined) throw refuse(`${twice} stands twice`, 'Each column needs a name of its own.');
  const width = input.shape[1] as number;
  if (width >= 0 && width !== features.length)
    throw refuse(
      `there are ${features.length}, and ${input.name} has ${width} columns`,
      'Name each column, in the order of training.',
    );
  return [...features];
}

function nameOnly(inputs: readonly TensorSpec[], given: readonly unknown[]): Record<string, unknown> {
  const [only] = inputs;
  if (inputs.length === 1 && only) return { [only.name]: given };
  throw new InlayError('SAMPLE_INVALID', `sample: a list fits a model with one input; this one has ${inputs.length}`, {
    hint: `Write sample: {${inputs.map((i) => `${i.name}: [...]`).join(', ')}}`,
  });
}

function checkSample(spec: TensorSpec, value: unknown): void {
  try {
    parseTensor(spec, value);
  } catch (cause) {
    throw new InlayError('SAMPLE_INVALID', `sample: ${(cause as Error).message}`, {
      cause,
      hint: `Write a nested list of shape [${spec.shape.map((size) => (size < 0 ? 1 : size)).join(', ')}].`,
    });
  }
}

function zeros(spec: TensorSpec): Tensor {
  const shape = spec.shape.map((size) => (size < 0 ? 1 : size));
  const filler = spec.datatype === 'BYTES' ? '' : spec.datatype === 'BOOL' ? false : 0;
  const nested = shape.reduceRight<unknown>((value, size) => new Array(size).fill(value), filler);
  return parseTensor({ ...spec, shape }, nested);
}

function copySpec(spec: TensorSpec): Contract['inputs'][number] {
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape: [...spec.shape],
    ...(spec.missing ? { missing: spec.missing } : {}),
  };
}
