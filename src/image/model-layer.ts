import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ModelFile, type Project, quantityBytes, serializeContract } from '../contract/index.ts';
import type { TarEntry } from './layer/tar.ts';
import { modelFilePath, OWN_LAYER_BYTES, requireSame } from './model-files.ts';

/** Where the model lies in an image: the model file, its external data, the label file and contract.json. */
export const MODEL_DIR = '/model';

/** Where the bundled transform lies in an image. */
export const TRANSFORM_DIR = '/transform';

/** Where contract.json lies in the last of a model's layers, before all other files. */
export const CONTRACT_PATH = modelFilePath('contract.json');

/** What model and transform add to the image's environment. */
export function modelEnvironment(project: Project): Readonly<Record<string, string>> {
  return {
    PROJECT_DIR: MODEL_DIR,
    MODEL_FILEPATH: `${MODEL_DIR}/${basename(project.modelPath)}`,
    ...(project.labelsPath === undefined ? {} : { LABEL_FILEPATH: `${MODEL_DIR}/${basename(project.labelsPath)}` }),
    ...(project.transform === undefined ? {} : { TRANSFORM_DIR }),
    // JavaScriptCore lets its heap grow by what the machine has, 24 GB say, in a container of 300Mi too.
    BUN_JSC_forceRAMSize: String(quantityBytes(project.contract.server.memory)),
  };
}

/** What the model layer's bytes depend on: the contract (with the digests of the model and its external data in it) and the label file. */
export async function modelLayerKey(project: Project): Promise<string> {
  const hash = createHash('sha256').update(serializeContract(project.contract));
  if (project.labelsPath !== undefined) hash.update(await readFile(project.labelsPath));
  return hash.digest('hex');
}

/** The files of the model that are layers of their own, weights first, as the contract has them. */
export function bigModelFiles(project: Project): { readonly path: string; readonly file: ModelFile }[] {
  return modelFiles(project).filter(({ file }) => file.sizeBytes >= OWN_LAYER_BYTES);
}

/** The files of the last layer: the model, unless it is a layer of its own, and all that is small. */
export async function modelEntries(project: Project): Promise<TarEntry[]> {
  const small = modelFiles(project).filter(({ file }) => file.sizeBytes < OWN_LAYER_BYTES);
  const others =
    project.labelsPath === undefined ? [] : [{ path: project.labelsPath, name: basename(project.labelsPath) }];
  if (project.golden && project.contract.golden?.inImage)
    others.push({ path: project.golden.path, name: project.contract.golden.file });
  const contract = new TextEncoder().encode(serializeContract(project.contract));
  return [
    ...small.map(({ path, file }) =>
      entry(file.file, { path, size: file.sizeBytes, onDigest: (found) => requireSame(path, found, file.digest) }),
    ),
    ...(await Promise.all(others.map(async ({ path, name }) => entry(name, { path, size: (await stat(path)).size })))),
    { ...entry('contract.json', contract), first: true },
  ];
}

function modelFiles(project: Project): { readonly path: string; readonly file: ModelFile }[] {
  const { model } = project.contract;
  const folder = dirname(project.modelPath);
  const { file, digest, sizeBytes } = model;
  return [
    ...model.externalData.map((data) => ({ path: join(folder, data.file), file: data })),
    { path: project.modelPath, file: { file, digest, sizeBytes } },
  ];
}

function entry(name: string, content: NonNullable<TarEntry['content']>): TarEntry {
  return { path: modelFilePath(name), type: 'file', mode: 0o644, content };
}
