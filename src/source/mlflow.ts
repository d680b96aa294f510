import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { InlayError } from '../error/index.ts';

/** A model folder that MLflow wrote (MLflow Models, storage format), as far as inlay uses it. Paths are relative to it. */
export interface MlflowModel {
  readonly modelFile: string;
  readonly mlflowVersion: string | undefined;
  readonly runId: string | undefined;
  /** One row that MLflow saved beside the model, as nested lists (or a list a name), if it is readable as such. */
  readonly inputExample: unknown;
}

const FILE = 'MLmodel';

/** MLmodel, YAML; other flavors and keys pass through. */
const schema = z.looseObject({
  flavors: z.record(z.string(), z.looseObject({ data: z.string().optional() })),
  mlflow_version: z.string().optional(),
  run_id: z.string().nullish(),
  saved_input_example_info: z.looseObject({ artifact_path: z.string() }).nullish(),
});

/**
 * Reads the MLmodel file of a folder; undefined where there is none.
 * @throws MODEL_FORMAT when the model was not logged as ONNX, CONFIG_INVALID when MLmodel is not readable
 */
export async function readMlflowModel(dir: string): Promise<MlflowModel | undefined> {
  const path = join(dir, FILE);
  if (!existsSync(path)) return undefined;
  const document = parsed(await readFile(path, 'utf8'), path);
  const flavors = Object.keys(document.flavors);
  const { onnx } = document.flavors;
  if (!onnx) {
    throw new InlayError('MODEL_FORMAT', `${path} has the flavors ${flavors.join(', ')}, not onnx`, {
      hint: 'Convert the model and log it with mlflow.onnx.log_model; docs/export.md says how to convert.',
    });
  }
  const example = document.saved_input_example_info?.artifact_path;
  return {
    modelFile: inside(onnx.data ?? 'model.onnx', path),
    mlflowVersion: document.mlflow_version,
    runId: document.run_id ?? undefined,
    inputExample: example === undefined ? undefined : await readExample(join(dir, inside(example, path))),
  };
}

function parsed(text: string, path: string): z.infer<typeof schema> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new InlayError('CONFIG_INVALID', `${path} is not YAML: ${(cause as Error).message.split('\n')[0]}`, {
      cause,
    });
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new InlayError('CONFIG_INVALID', `${path}: ${issue?.path.join('.')}: ${issue?.message}`, {
    cause: result.error,
    hint: 'MLflow writes this file with the model: log the model again.',
  });
}

function inside(file: string, path: string): string {
  const normal = normalize(file);
  if (!isAbsolute(normal) && normal !== '..' && !normal.startsWith(`..${sep}`)) return normal;
  throw new InlayError('PATH_ESCAPES', `${path} names ${file}, outside of its folder`);
}

const split = z.object({ data: z.array(z.array(z.unknown())).min(1) });
const byName = z.record(z.string(), z.array(z.unknown()).min(1));
const rows = z.array(z.unknown()).min(1);

/**
 * MLflow saves an array as nested lists or `{"inputs": …}`, and a data frame as `{"columns": […], "data": [[…]]}`.
 * Anything else is passed over: a sample is welcome, not needed.
 */
async function readExample(path: string): Promise<unknown> {
  const document: unknown = await readFile(path, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined);
  if (Array.isArray(document)) return firstRow(document);
  if (typeof document !== 'object' || document === null) return undefined;
  const frame = split.safeParse(document);
  if (frame.success) return frame.data.data.slice(0, 1);
  const inputs: unknown = 'inputs' in document ? document.inputs : document;
  if (Array.isArray(inputs)) return firstRow(inputs);
  const named = byName.safeParse(inputs);
  if (!named.success) return undefined;
  return Object.fromEntries(Object.entries(named.data).map(([name, list]) => [name, list.slice(0, 1)]));
}

function firstRow(list: unknown[]): unknown {
  return rows.safeParse(list).success ? list.slice(0, 1) : undefined;
}
