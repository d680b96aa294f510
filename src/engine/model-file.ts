import { dirname, join } from 'node:path';
import { type CaseInput, type Contract, digestFile, graphForServing, mapFile } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';

/** A model as ONNX Runtime takes it: the file itself, or, where its graph was changed in memory, bytes. */
export interface OpenedModel {
  readonly model: string | Uint8Array;
  /** The folder that external data is read from. */
  readonly folder: string;
  /** Inputs beside those of the contract, to be fed with its text in another case. */
  readonly caseInputs: readonly CaseInput[];
}

/**
 * Opens a model for loading, and proves that its file and its external data are those that the contract was made for.
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, INTEGRITY_MISMATCH
 */
export async function openModel(path: string, contract: Contract): Promise<OpenedModel> {
  const folder = dirname(path);
  await verify(path, contract.model.digest);
  for (const { file, digest } of contract.model.externalData) await verify(join(folder, file), digest);
  const bytes = mapFile(path);
  const graph = await graphForServing(bytes);
  return { model: graph.bytes === bytes ? path : graph.bytes, folder, caseInputs: graph.caseInputs };
}

async function verify(path: string, digest: string): Promise<void> {
  const found = await digestFile(path);
  if (found.digest === digest) return;
  throw new InlayError(
    'INTEGRITY_MISMATCH',
    `${path} is not what the contract was made for: its digest is ${found.digest}, the contract's ${digest}`,
    {
      hint: 'The file was changed after the build. Build the image again.',
    },
  );
}
