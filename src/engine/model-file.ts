import { existsSync, readFileSync } from 'node:fs';
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
  const bytes = await readVerified(path, contract.model);
  for (const { file, digest } of contract.model.externalData)
    verify(join(folder, file), (await digestFile(join(folder, file))).digest, digest);
  const graph = await graphForServing(bytes);
  const changed = graph.bytes !== bytes || bytes.length <= READ_BYTES;
  return { model: changed ? graph.bytes : path, folder, caseInputs: graph.caseInputs };
}

/** Up to this a model is read at once; beyond it is mapped, since a runtime that reads it itself would hold it twice. */
const READ_BYTES = 2 ** 22;

async function readVerified(path: string, expected: Contract['model']): Promise<Uint8Array> {
  if (expected.sizeBytes <= READ_BYTES && existsSync(path)) {
    const bytes = new Uint8Array(readFileSync(path));
    verify(path, `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`, expected.digest);
    return bytes;
  }
  verify(path, (await digestFile(path)).digest, expected.digest);
  return mapFile(path);
}

function verify(path: string, found: string, expected: string): void {
  if (found === expected) return;
  throw new InlayError(
    'INTEGRITY_MISMATCH',
    `${path} is not what the contract was made for: its digest is ${found}, the contract's ${expected}`,
    {
      hint: 'The file was changed after the build. Build the image again.',
    },
  );
}
