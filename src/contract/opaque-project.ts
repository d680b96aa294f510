import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InlayError } from '../error/index.ts';
import type { Config } from './config/schema.ts';
import type { DigestFile, FileDigest } from './file-digest.ts';
import type { OpaqueContract } from './opaque-contract.ts';
import { isOutside } from './outside.ts';

/** One file of an opaque model. */
export interface OpaqueFile extends FileDigest {
  /** On this machine. */
  readonly path: string;
  /** Below the model's folder; the file's own name where the model is a file. */
  readonly name: string;
  /** Where it lies in the image, absolute. */
  readonly place: string;
  readonly executable: boolean;
}

/** A project whose model inlay does not read: a file or a folder of any format, for an image of the user's own. */
export interface OpaqueProject {
  readonly format: 'opaque';
  readonly dir: string;
  readonly config: Config;
  readonly modelPath: string;
  /** Where the model lies in the image: the file itself, or the folder of its files. Absolute, without a slash at its end. */
  readonly target: string;
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly OpaqueFile[];
  readonly contract: OpaqueContract;
}

type Place = Pick<OpaqueProject, 'dir' | 'config' | 'modelPath' | 'target' | 'env'>;

/** @throws CONFIG_INVALID, FILE_NOT_FOUND for an empty folder, FILE_UNREADABLE, PATH_ESCAPES */
export async function readOpaqueProject(
  place: Place,
  metrics: Readonly<Record<string, number>> | undefined,
  digest: DigestFile,
): Promise<OpaqueProject> {
  const { dir, config, modelPath } = place;
  const isFolder = (await stat(modelPath)).isDirectory();
  if (modelPath === place.dir)
    throw new InlayError(
      'CONFIG_INVALID',
      "model: the model is the project's folder itself, with inlay.yaml and inlay.lock",
      {
        hint: 'Put the model into a folder of its own below it.',
      },
    );
  const found = isFolder ? await filesBelow(modelPath, dir) : [{ path: modelPath, name: basename(modelPath) }];
  if (found.length === 0)
    throw new InlayError('FILE_NOT_FOUND', `model: there are no files in ${modelPath}`, {
      hint: 'Name the folder that the export wrote.',
    });
  // A file keeps its name where the target is a folder.
  const inFolder = !isFolder && place.target.endsWith('/');
  const target = inFolder ? `${place.target}${basename(modelPath)}` : place.target.replace(/\/$/, '');
  const files: OpaqueFile[] = [];
  for (const file of found) {
    const executable = ((await stat(file.path)).mode & 0o100) !== 0;
    const inImage = isFolder ? `${target}/${file.name}` : target;
    files.push({ ...file, place: inImage, executable, ...(await digest(file.path, inImage)) });
  }
  return {
    ...place,
    format: 'opaque',
    target,
    files,
    contract: {
      schemaVersion: 1,
      format: 'opaque',
      name: config.name,
      version: config.version,
      task: config.task ?? 'other',
      model: {
        target,
        digest: isFolder ? folderDigest(files) : (files[0] as OpaqueFile).digest,
        sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
        files: files.length,
      },
      inputs: config.inputs?.map((spec) => ({ ...spec, shape: [...spec.shape] })) ?? [],
      outputs: config.outputs?.map((spec) => ({ ...spec, shape: [...spec.shape] })) ?? [],
      ...(metrics ? { metrics: { ...metrics } } : {}),
      server: { ...config.server },
      ...(config.owner ? { owner: config.owner } : {}),
    },
  };
}

/** What `find -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum | sha256sum` gives in the folder, symbolic links followed. */
export function folderDigest(files: readonly Pick<OpaqueFile, 'name' | 'digest'>[]): string {
  const lines = files
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .map(({ name, digest }) => `${digest.replace('sha256:', '')}  ${name}\n`);
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}

/** All files below a folder. Symbolic links are followed, as long as they stay in the project. */
async function filesBelow(
  folder: string,
  project: string,
): Promise<{ readonly path: string; readonly name: string }[]> {
  const files: { readonly path: string; readonly name: string }[] = [];
  const visit = async (name: string, above: readonly string[]): Promise<void> => {
    const path = await realpath(join(folder, name)).catch((cause) => {
      throw new InlayError('FILE_NOT_FOUND', `model: ${name} is a link that leads nowhere`, {
        cause,
        hint: 'Copy the model with its files (cp -L).',
      });
    });
    if (isOutside(project, path))
      throw new InlayError('PATH_ESCAPES', `model: ${name} is a link that leads out of the project's folder`, {
        hint: 'Copy the model with its files (cp -L): what a project needs lies in its folder.',
      });
    const found = await stat(path);
    if (found.isFile()) files.push({ path, name });
    else if (!found.isDirectory() || above.includes(path))
      throw new InlayError('FILE_UNREADABLE', `model: ${name} is neither a file nor a folder of files`, {
        hint: 'Remove it, or name the folder that the export wrote.',
      });
    else
      for (const child of (await readdir(path)).sort())
        await visit(name === '' ? child : `${name}/${child}`, [...above, path]);
  };
  await visit('', []);
  return files;
}
