import { existsSync } from 'node:fs';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import {
  CONFIG_FILE,
  type Contract,
  contractOfModel,
  describeSpec,
  elementCount,
  nestTensor,
  parseGolden,
  parseTensor,
  type Tensor,
  type TensorSpec,
} from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { readMlflowModel } from '../source/index.ts';

export interface InitResult {
  readonly path: string;
  /** What was read of the model, for people. */
  readonly summary: string;
}

/** Puts a question to a person. @param suggestion what an empty answer means */
export type Ask = (question: string, suggestion: string) => Promise<string>;

export interface InitOptions {
  /** The model's path, needed where there are several and nobody can be asked. */
  readonly model?: string | undefined;
  /** Of the service, where it is not what the model suggests. */
  readonly name?: string | undefined;
  /** The repository to push to. */
  readonly image?: string | undefined;
  /** The command that has trained the model, and will again; versions are inlay's to decide then. */
  readonly train?: string | undefined;
  /** Only where a person sits at a terminal. */
  readonly ask?: Ask | undefined;
}

const DEPTH = 3;
const SKIPPED = new Set(['node_modules', '.git', '.venv', 'venv', '__pycache__']);

/**
 * Writes inlay.yaml for the ONNX model in a folder, with the label file, transform, golden cases, metrics and requirements that
 * lie there; a folder that MLflow wrote names its model and an example itself. Nothing is ever overwritten.
 * @throws PROJECT_EXISTS, FILE_NOT_FOUND, USAGE when there are several models, MODEL_FORMAT, and as contractOfModel
 */
export async function initProject(dir: string, options: InitOptions = {}): Promise<InitResult> {
  const { ask } = options;
  const path = join(dir, CONFIG_FILE);
  if (existsSync(path))
    throw new InlayError('PROJECT_EXISTS', `${path} is there already`, {
      hint: 'Edit it, or remove it first: init never overwrites.',
    });
  if (!existsSync(dir)) throw new InlayError('FILE_NOT_FOUND', `there is no folder ${resolve(dir)}`);
  const files = await listFiles(dir, DEPTH);
  const mlflow = await readMlflowModel(dir);
  const modelFile =
    options.model === undefined
      ? (mlflow?.modelFile ?? (await onlyModel(dir, files, ask)))
      : relative(resolve(dir), resolve(options.model));
  const find = (names: RegExp) =>
    files.find((file) => dirname(file) === dirname(modelFile) && names.test(basename(file))) ??
    files.find((file) => names.test(basename(file)));
  const labels = find(/^labels?\.json$/);
  const transform = find(/^transform\.(ts|js|mjs)$/);
  const golden = find(/^golden\.(json|npz)$/);
  const contract = await contractOfModel(join(dir, modelFile), labels && join(dir, labels));
  const { sample, hasNan } = golden
    ? await fromGolden(join(dir, golden), contract)
    : { sample: fittingSample(contract, mlflow?.inputExample), hasNan: false };
  const suggested = options.name ?? (contract.name === 'model' ? slug(basename(resolve(dir))) : contract.name);
  const name =
    options.name === undefined && ask ? slug(await ask('Name of the service, a DNS label', suggested)) : suggested;
  const image =
    options.image ?? (ask ? (await ask('Repository to push to, such as registry.example.com/ml/NAME', '')).trim() : '');
  const inImage = !golden || !ask || !/^y/i.test(await ask('Do the golden cases hold personal data? y/n', 'n'));
  const document = {
    name,
    version: options.train === undefined ? '0.0.1' : 'auto',
    ...(image === '' ? {} : { image }),
    model: modelFile,
    ...(labels ? { labels } : {}),
    task: contract.task,
    ...(sample ? { sample } : {}),
    ...(hasNan ? { missing: 'nan' } : {}),
    ...(transform ? { transform } : {}),
    ...(golden ? { golden: inImage ? golden : { file: golden, inImage } } : {}),
    ...(find(/^metrics\.json$/) ? { metrics: find(/^metrics\.json$/) } : {}),
    ...(options.train === undefined ? {} : { training: { run: options.train } }),
  };
  const missing = [
    ...(sample ? [] : [`# sample: ${sampleHint(contract)}   # one typical row: /predict/test answers for it`]),
    ...(golden
      ? []
      : ['# golden: golden.json   # what training answered (docs/checks.md), so that the image can be held to it']),
    ...(image === '' ? ['# image: registry.example.com/ml/NAME   # the repository, without tag'] : []),
    ...(golden && inImage
      ? [`# golden cases travel in the image; for personal data: golden: {file: ${golden}, inImage: false}`]
      : []),
    ...(options.train === undefined && files.includes('train.py')
      ? ['# training: {run: python train.py}   # inlay release trains first; then version: auto is wanted']
      : []),
    '# owner: team',
  ];
  const text = `${stringify(document, { lineWidth: 0, defaultStringType: 'PLAIN', collectionStyle: 'any' }).replace('version: 0.0.1', 'version: "0.0.1"')}${missing.join('\n')}\n`;
  // Made only if it is not there: two inits at once cannot write over each other.
  const file = await open(path, 'wx').catch((cause) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new InlayError('PROJECT_EXISTS', `cannot make ${path}: ${(cause as Error).message}`, { cause });
  });
  try {
    await file.writeFile(text);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  const inputs = contract.inputs.map((spec) => `${spec.name} ${describeSpec(spec)}`).join(', ');
  const output = contract.outputs.find((spec) => spec.name === contract.prediction);
  return {
    path,
    summary: `${modelFile}: ${contract.task}, input ${inputs}, output ${contract.prediction}${output ? ` ${describeSpec(output)}` : ''}`,
  };
}

async function onlyModel(dir: string, files: readonly string[], ask: Ask | undefined): Promise<string> {
  const models = files.filter((file) => file.endsWith('.onnx'));
  const [only, second] = models;
  if (only === undefined)
    throw new InlayError('FILE_NOT_FOUND', `no .onnx file in ${resolve(dir)}`, {
      hint: files.includes('train.py')
        ? 'train.py writes one? inlay init --train runs it first.'
        : 'docs/export.md says how to export one.',
    });
  if (second === undefined) return only;
  const chosen = ask && (await ask(`Which model? ${models.join(', ')}`, only));
  if (chosen === undefined || !models.includes(chosen))
    throw new InlayError('USAGE', `there are several models: ${models.join(', ')}`, {
      hint: 'Name one: inlay init --model FILE.',
    });
  return chosen;
}

async function listFiles(dir: string, depth: number, below = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of (await readdir(join(dir, below), { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(below, entry.name);
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory() && depth > 0 && !SKIPPED.has(entry.name))
      found.push(...(await listFiles(dir, depth - 1, path)));
  }
  return found;
}

/** A sample of more values than a person would read does not belong into inlay.yaml. */
const LONGEST_SAMPLE = 1000;

/**
 * The first row of the first golden case, as a sample, and whether any input has a missing value; nothing where the file
 * is not readable: check tells why.
 */
async function fromGolden(path: string, contract: Contract): Promise<{ sample?: unknown; hasNan: boolean }> {
  try {
    // Whether NaN stands for a missing value is what the file tells here.
    const inputs = contract.inputs.map((spec): TensorSpec => ({ ...spec, missing: 'nan' }));
    const golden = parseGolden(
      new Uint8Array(await readFile(path)),
      basename(path),
      { inputs, outputs: contract.outputs },
      contract.classes,
    );
    const hasNan = golden.cases.some((one) => Object.values(one.inputs).some(({ data }) => data.some(Number.isNaN)));
    const rows: Record<string, unknown> = {};
    let length = 0;
    for (const { name } of contract.inputs) {
      const tensor = golden.cases[0]?.inputs[name] as Tensor;
      length += elementCount(tensor.shape.slice(1));
      // JSON writes a missing value as null, as inlay.yaml has it.
      rows[name] = JSON.parse(JSON.stringify((nestTensor(tensor) as unknown[]).slice(0, 1)));
    }
    if (length > LONGEST_SAMPLE) return { hasNan };
    return { sample: contract.inputs.length === 1 ? Object.values(rows)[0] : rows, hasNan };
  } catch {
    return { hasNan: false };
  }
}

/** MLflow's example, if it is one row of what the model takes: it may be of the steps before the model. */
function fittingSample(contract: Contract, example: unknown): unknown {
  const [input, second] = contract.inputs;
  if (example === undefined || !input) return undefined;
  try {
    if (!second && Array.isArray(example)) {
      parseTensor(input, example);
      return example;
    }
    const byName = example as Record<string, unknown>;
    for (const spec of contract.inputs) parseTensor(spec, byName[spec.name]);
    const own = Object.fromEntries(contract.inputs.map((spec) => [spec.name, byName[spec.name]]));
    return second ? own : own[input.name];
  } catch {
    return undefined;
  }
}

function sampleHint(contract: Contract): string {
  return contract.inputs.length === 1
    ? JSON.stringify(Object.values(contract.sample.inputs)[0])
    : `{${contract.inputs.map((spec) => `${spec.name}: […]`).join(', ')}}`;
}

function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+|-+$/g, '')
      .slice(0, 50) || 'model'
  );
}
