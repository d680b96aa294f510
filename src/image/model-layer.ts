import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Project, serializeContract } from '../contract/index.ts';
import type { TarEntry } from './layer/tar.ts';

/** Where the model lies in an image: the model file, its external data, the label file and contract.json. */
export const MODEL_DIR = '/model';

/** What the model layer adds to the image's environment. */
export function modelEnvironment(project: Project): Readonly<Record<string, string>> {
  return {
    PROJECT_DIR: MODEL_DIR,
    MODEL_FILEPATH: `${MODEL_DIR}/${basename(project.modelPath)}`,
    ...(project.labelsPath === undefined ? {} : { LABEL_FILEPATH: `${MODEL_DIR}/${basename(project.labelsPath)}` }),
  };
}

/** What the model layer's bytes depend on: the contract (with the digests of the model and its external data in it) and the label file. */
export async function modelLayerKey(project: Project): Promise<string> {
  const hash = createHash('sha256').update(serializeContract(project.contract));
  if (project.labelsPath !== undefined) hash.update(await readFile(project.labelsPath));
  return hash.digest('hex');
}

/** The files of the model layer. */
export async function modelEntries(project: Project): Promise<TarEntry[]> {
  const files = [project.modelPath, ...(project.labelsPath === undefined ? [] : [project.labelsPath])].map((path) => ({
    path,
    name: basename(path),
  }));
  if (project.golden && project.contract.golden?.inImage)
    files.push({ path: project.golden.path, name: project.contract.golden.file });
  const weights = project.facts.externalData.map((name) => ({ path: join(dirname(project.modelPath), name), name }));
  const entries = await Promise.all(
    [...files, ...weights].map(
      async ({ path, name }): Promise<TarEntry> => ({
        path: `model/${name}`,
        type: 'file',
        mode: 0o644,
        content: { path, size: (await stat(path)).size },
      }),
    ),
  );
  const contract = new TextEncoder().encode(serializeContract(project.contract));
  return [...entries, { path: 'model/contract.json', type: 'file', mode: 0o644, content: contract }];
}
