import { createHash } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { InlayError } from '../error/index.ts';
import { type PreparedTransform, prepareTransform } from '../transform/index.ts';
import { readConfig } from './config/read.ts';
import { type Config, modelPathOf } from './config/schema.ts';
import { type Contract, deriveContract, type ModelFile, predictionOutput } from './contract.ts';
import { isFloat } from './datatype.ts';
import { type DigestFile, digestFile } from './file-digest.ts';
import { type Golden, parseGolden } from './golden.ts';
import { type Labels, labelsOfGraph, readLabels } from './labels.ts';
import { mapFile } from './map-file.ts';
import { type ModelFacts, readModelFacts } from './onnx/model-facts.ts';
import { type OpaqueProject, readOpaqueProject } from './opaque-project.ts';
import { isOutside } from './outside.ts';

export { readConfig };

/** A project's folder, read and checked as far as reading goes: what it says, its files, and the contract that follows. */
export interface Project {
  readonly format: 'onnx';
  readonly dir: string;
  readonly config: Config;
  readonly modelPath: string;
  readonly labelsPath: string | undefined;
  /** The golden file, read, where there is one. */
  readonly golden: { readonly path: string; readonly cases: Golden } | undefined;
  /** The transform, bundled and loaded, where there is one. */
  readonly transform: PreparedTransform | undefined;
  readonly facts: ModelFacts;
  readonly contract: Contract;
}

/** A project with a model of any format. */
export type AnyProject = Project | OpaqueProject;

/**
 * Reads the project in `dir`, whose model is an ONNX file.
 * @param digest tells the digests of the model and its external data; reads them whole when left out
 * @throws PROJECT_NOT_FOUND, CONFIG_INVALID, FILE_NOT_FOUND, PATH_ESCAPES, MODEL_INVALID, MODEL_UNSUPPORTED, LABELS_INVALID, INPUT_INVALID,
 * MODEL_OPAQUE, TRANSFORM_INVALID, TRANSFORM_NATIVE
 */
export async function readProject(dir: string, digest: DigestFile = digestFile): Promise<Project> {
  const project = await readAnyProject(dir, digest);
  if (project.format === 'onnx') return project;
  throw new InlayError('MODEL_OPAQUE', `${project.config.name} is an opaque model: inlay does not read it`, {
    hint: 'What loads a model is for ONNX models. inlay build puts this one into its base, and inlay run starts that.',
  });
}

/** As `readProject`, of an ONNX model or an opaque one. @throws FILE_UNREADABLE too, for a folder with what is no file */
export async function readAnyProject(dir: string, digest: DigestFile = digestFile): Promise<AnyProject> {
  const config = await readConfig(dir);
  const root = await realpath(dir);
  const modelPath = insideProject(root, modelPathOf(config), 'model');
  if (typeof config.model !== 'string' && config.model.format === 'opaque')
    return readOpaqueProject(
      { dir: root, config, modelPath, target: config.model.target ?? '', env: config.model.env ?? {} },
      config.metrics === undefined ? undefined : await readMetrics(insideProject(root, config.metrics, 'metrics')),
      digest,
    );
  const labelsPath = config.labels === undefined ? undefined : insideProject(root, config.labels, 'labels');
  const parts = await readModel(modelPath, labelsPath, config.task, root, digest);
  const contractParts = { ...parts, facts: withMissing(parts.facts, config.missing) };
  const golden = await readGolden(root, config, contractParts.facts);
  const transform = await readTransform(root, config, golden);
  const contract = deriveContract({
    ...contractParts,
    golden: golden?.entry,
    transform: transform?.entry,
    metrics:
      config.metrics === undefined ? undefined : await readMetrics(insideProject(root, config.metrics, 'metrics')),
    name: config.name,
    version: config.version,
    task: config.task,
    features: config.features,
    sample: config.sample,
    server: config.server,
    owner: config.owner,
  });
  return {
    format: 'onnx',
    dir: root,
    config,
    modelPath,
    labelsPath,
    golden: golden && { path: golden.path, cases: golden.cases },
    transform: transform?.prepared,
    facts: contractParts.facts,
    contract,
  };
}

/** The facts with what a person says of missing values: no ONNX file tells whether its model was trained on NaN. */
function withMissing(facts: ModelFacts, missing: Config['missing']): ModelFacts {
  if (missing === undefined) return facts;
  if (!facts.inputs.some((spec) => isFloat(spec.datatype)))
    throw new InlayError(
      'CONFIG_INVALID',
      `missing: ${missing}: no input of the model is a float, and only floats have NaN`,
      {
        hint: 'Remove missing: from inlay.yaml.',
      },
    );
  return { ...facts, inputs: facts.inputs.map((spec) => (isFloat(spec.datatype) ? { ...spec, missing } : spec)) };
}

async function readGolden(root: string, config: Config, facts: ModelFacts) {
  if (config.golden === undefined) return undefined;
  const { file, inImage = true } = typeof config.golden === 'string' ? { file: config.golden } : config.golden;
  const path = insideProject(root, file, 'golden');
  const content = new Uint8Array(await readFile(path));
  const cases = parseGolden(content, file, facts, facts.classLabels);
  if (cases.raw.length > 0 && config.transform === undefined)
    throw new InlayError('GOLDEN_INVALID', `${file} has raw cases, which hold a transform, and there is none`, {
      hint: 'Name it in inlay.yaml: transform: transform.ts. Without one write cases alone.',
    });
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const entry = {
    file: basename(path),
    digest,
    cases: cases.cases.length,
    ...(cases.raw.length > 0 ? { raw: cases.raw.length } : {}),
    inImage,
    environment: { ...cases.environment },
  };
  return { path, cases, entry };
}

/** @throws TRANSFORM_INVALID, TRANSFORM_NATIVE, PATH_ESCAPES */
async function readTransform(root: string, config: Config, golden: Awaited<ReturnType<typeof readGolden>>) {
  if (config.transform === undefined) return undefined;
  const path = insideProject(root, config.transform, 'transform');
  const prepared = await prepareTransform(root, path);
  const { bundle, loaded } = prepared;
  const sample = golden?.entry.inImage ? sampleOf(golden.cases) : undefined;
  const entry = {
    file: basename(path),
    digest: bundle.digest,
    accepts: [...loaded.accepts],
    postprocess: loaded.postprocess !== undefined,
    ...(sample ? { sample } : {}),
  };
  return { prepared, entry };
}

/** Beyond so many bytes a request is no example. */
const LARGEST_SAMPLE = 4096;

/** The first raw case that can be shown as text. */
function sampleOf({ raw }: Golden): { contentType: string; text: string } | undefined {
  const shown = raw.find(
    ({ contentType, bytes }) => /^text\/|json$/.test(contentType) && bytes.byteLength <= LARGEST_SAMPLE,
  );
  return shown && { contentType: shown.contentType, text: new TextDecoder().decode(shown.bytes) };
}

const metricsSchema = z.record(z.string().regex(/^[A-Za-z_][\w.@/-]*$/), z.number());

async function readMetrics(path: string): Promise<Record<string, number>> {
  const parsed = metricsSchema.safeParse(
    await readFile(path, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined),
  );
  if (parsed.success) return parsed.data;
  throw new InlayError('METRICS_INVALID', `${basename(path)} is not a JSON object of names and finite numbers`, {
    cause: parsed.error,
    hint: 'Write {"accuracy": 0.97}.',
  });
}

/** @throws EXTERNAL_DATA_ESCAPES, EXTERNAL_DATA_MISSING, EXTERNAL_DATA_SHORT */
function checkExternalData(root: string, modelPath: string, facts: ModelFacts): void {
  for (const name of facts.externalData) {
    const path = resolve(dirname(modelPath), name);
    if (isOutside(root, path) || isOutside(dirname(modelPath), path)) {
      throw new InlayError('EXTERNAL_DATA_ESCAPES', `the model wants weights from ${name}, outside of its own folder`, {
        hint: 'Export it again with its external data beside it.',
      });
    }
    if (!existsSync(path)) {
      throw new InlayError('EXTERNAL_DATA_MISSING', `the model wants weights from ${name}, which is not beside it`, {
        hint: `Copy ${name} to ${dirname(modelPath)}: the exporter wrote it with the model.`,
      });
    }
    if (isOutside(root, realpathSync(path))) {
      throw new InlayError('EXTERNAL_DATA_ESCAPES', `${name} is a link that leads out of the project's folder`, {
        hint: 'Put the file itself there.',
      });
    }
    const needed = facts.externalBytes[name] ?? 0;
    const { size } = statSync(path);
    if (size < needed) {
      throw new InlayError('EXTERNAL_DATA_SHORT', `${name} has ${size} bytes, and the model wants ${needed} of it`, {
        hint: 'It was cut off, or belongs to another model. Export or copy it again.',
      });
    }
  }
}

/**
 * The contract of a bare model file without inlay.yaml: inputs and outputs as the model has them.
 * @throws as readProject
 */
export async function contractOfModel(modelPath: string, labelsPath: string | undefined): Promise<Contract> {
  const stem = basename(modelPath)
    .replace(/\.onnx$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '');
  return deriveContract({
    ...(await readModel(modelPath, labelsPath, undefined, dirname(modelPath), digestFile)),
    name: stem.slice(0, 50) || 'model',
    version: '0',
  });
}

/** @param root the folder that external data may not lead out of */
async function readModel(
  modelPath: string,
  labelsPath: string | undefined,
  task: Config['task'],
  root: string,
  digest: DigestFile,
) {
  const facts = naming(basename(modelPath), () => readModelFacts(mapFile(modelPath)));
  checkExternalData(root, modelPath, facts);
  const labels = await labelsFor(facts, labelsPath, task);
  const externalData: ModelFile[] = [];
  for (const file of facts.externalData)
    externalData.push({ file, ...(await digest(join(dirname(modelPath), file), file)) });
  const file = basename(modelPath);
  return { facts, labels, model: { file, ...(await digest(modelPath, file)), externalData } };
}

async function labelsFor(
  facts: ModelFacts,
  path: string | undefined,
  task: Config['task'],
): Promise<(Labels & { file?: string }) | undefined> {
  if (path === undefined) return facts.classLabels ? labelsOfGraph(facts.classLabels) : undefined;
  if (!existsSync(path))
    throw new InlayError('FILE_NOT_FOUND', `no label file ${path}`, {
      hint: 'Check labels: in inlay.yaml, or LABEL_FILEPATH.',
    });
  const width = predictionOutput(facts, task ?? 'classification').shape.at(-1);
  const labels = readLabels(
    await readFile(path, 'utf8'),
    basename(path),
    facts.classLabels,
    width !== undefined && width > 0 ? width : undefined,
  );
  return { ...labels, file: basename(path) };
}

function naming<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InlayError)
      throw new InlayError(error.code, `${file}: ${error.message}`, { hint: error.hint, cause: error.cause });
    throw error;
  }
}

/** An absolute path inside the project, symlinks followed. @throws FILE_NOT_FOUND, PATH_ESCAPES */
function insideProject(root: string, path: string, key: string): string {
  const full = resolve(root, path);
  const escapes = () =>
    new InlayError('PATH_ESCAPES', `${key}: ${path} is outside the project's folder`, {
      hint: `Move the file below ${root}: what a project needs lies in its folder, so that it builds anywhere.`,
    });
  if (isOutside(root, full)) throw escapes();
  if (!existsSync(full))
    throw new InlayError('FILE_NOT_FOUND', `${key}: no file ${path} in ${root}`, {
      hint: existsSync(dirname(full)) ? `Check ${key}: in inlay.yaml.` : `There is no folder ${dirname(path)}.`,
    });
  const real = realpathSync(full);
  if (isOutside(root, real)) throw escapes();
  return real;
}
