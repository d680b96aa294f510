import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cutZipMap, readProject } from '../../../src/contract/index.ts';
import { modelEntries } from '../../../src/image/model-layer.ts';
import { cacheDir } from '../cache-dir.ts';
import { expectedNumbers } from './expected.ts';

/** A model as the servers get it. */
export interface BenchModel {
  /** The folder that is /model in the image. */
  readonly dir: string;
  readonly modelPath: string;
  /** The same model without ZipMap, for runtimes that refuse its list of maps. */
  readonly cutPath: string;
  readonly input: string;
  readonly output: string;
  /** One row. */
  readonly sample: unknown;
  /** The prediction for it, by ONNX Runtime alone. */
  readonly expected: readonly number[];
}

/** Lays out a project's model as the image has it, with contract.json, and its copy without ZipMap beside that folder. */
export async function layOutModel(projectDir: string): Promise<BenchModel> {
  const project = await readProject(projectDir);
  const { contract } = project;
  const top = join(cacheDir(), 'models', contract.name);
  const dir = join(top, 'model');
  await rm(dir, { recursive: true, force: true });
  for (const { path, content } of await modelEntries(project)) {
    const target = join(top, path);
    await mkdir(dirname(target), { recursive: true });
    if (content instanceof Uint8Array) await writeFile(target, content);
    else if (content) await cp((content as { path: string }).path, target);
  }
  const cutPath = join(top, 'without-zipmap.onnx');
  await writeFile(cutPath, cutZipMap(await Bun.file(project.modelPath).bytes()));
  const input = contract.inputs[0]?.name ?? '';
  const sample = contract.sample.inputs[input];
  return {
    dir,
    modelPath: join(dir, basename(project.modelPath)),
    cutPath,
    input,
    output: contract.prediction,
    sample,
    expected: await expectedNumbers(cutPath, contract.prediction, sample),
  };
}
