import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InlayError } from '../../error/index.ts';
import type { KubeObject } from './object.ts';
import { objectYaml, stringify } from './yaml.ts';

export interface ManifestFile {
  readonly name: string;
  readonly content: string;
}

const KUSTOMIZATION = 'kustomization.yaml';
/** How a folder is known again as one that may be written anew. */
const WRITTEN_BY =
  ' Written by inlay manifests: it is written anew as a whole. What is your own belongs into an overlay.';

/** A file an object, and the kustomization that lists them in the order in which they are applied. */
export function manifestFiles(objects: readonly KubeObject[], service: string): ManifestFile[] {
  const files = objects.map((object) => ({ name: fileName(object, service), content: objectYaml(object) }));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: files.map(({ name }) => name),
  };
  return [...files, { name: KUSTOMIZATION, content: stringify(kustomization, WRITTEN_BY) }];
}

/** `deployment.yaml`; with its name where the service has more of the kind. */
function fileName({ kind, metadata }: KubeObject, service: string): string {
  const named = kind === 'Namespace' || metadata.name === service ? '' : `-${metadata.name}`;
  return `${kind.toLowerCase()}${named}.yaml`;
}

/**
 * Writes the files as a folder that appears whole: under another name first. A folder that inlay wrote is replaced.
 * @throws USAGE when the folder has something that inlay did not write
 */
export async function writeManifests(dir: string, files: readonly ManifestFile[]): Promise<void> {
  const target = resolve(dir);
  const before = await mayReplace(target);
  await mkdir(dirname(target), { recursive: true });
  const made = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    const fresh = join(made, 'new');
    await mkdir(fresh);
    for (const { name, content } of files) await writeFile(join(fresh, name), content);
    const old = join(made, 'old');
    if (before) await rename(target, old);
    await rename(fresh, target).catch(async (error) => {
      if (before) await rename(old, target);
      throw error;
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/**
 * Writes the states of a release as folders of one folder. Those of an earlier release go: in their order they would be taken for states
 * of this one.
 * @throws USAGE as above
 */
export async function writeStates(
  dir: string,
  states: readonly { readonly name: string; readonly files: readonly ManifestFile[] }[],
): Promise<void> {
  const before = await readdir(dir).catch(() => []);
  for (const { name, files } of states) await writeManifests(join(dir, name), files);
  const old = before.filter(
    (name) => /^\d+-(stable|promote|canary-)/.test(name) && !states.some((one) => one.name === name),
  );
  for (const name of old) if (await mayReplace(join(dir, name))) await rm(join(dir, name), { recursive: true });
}

/** True when something is there that may go. */
async function mayReplace(dir: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new InlayError('USAGE', `--output ${dir} is not a folder`, { cause: error, hint: 'Name a folder.' });
  }
  if (names.length === 0) return true;
  const index = await readFile(join(dir, KUSTOMIZATION), 'utf8').catch(() => '');
  const listed = [...index.matchAll(/^ {2}- (\S+)$/gm)].map((match) => match[1]);
  const other = index.startsWith(`#${WRITTEN_BY}`)
    ? names.find((name) => name !== KUSTOMIZATION && !listed.includes(name))
    : names[0];
  if (other === undefined) return true;
  throw new InlayError('USAGE', `${dir} has ${other}, which inlay manifests did not write`, {
    hint: 'Name another folder, and put what is your own into an overlay beside it.',
  });
}
