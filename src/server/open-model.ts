import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Contract, contractOfModel, parseContract } from '../contract/index.ts';
import type { ModelPaths } from './settings.ts';

export const CONTRACT_FILE = 'contract.json';

/**
 * The contract of the model to serve: the contract.json beside it, or, where there is none, what the model and the
 * label file say themselves.
 * @throws CONTRACT_INVALID, FILE_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED, LABELS_INVALID
 */
export async function openContract(paths: ModelPaths): Promise<Contract> {
  const file = join(dirname(paths.model), CONTRACT_FILE);
  if (!existsSync(file)) return contractOfModel(paths.model, paths.labels);
  return parseContract(await readFile(file, 'utf8'), file);
}
