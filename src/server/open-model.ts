import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Contract, contractOfModel, parseContract } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { ModelPaths } from './settings.ts';

export const CONTRACT_FILE = 'contract.json';

/**
 * The contract of the model to serve: the contract.json beside it, or, where there is none at all, what the model and
 * the label file say themselves. In an image, whose project has a contract, a model without one is refused: nobody
 * promised anything of it.
 * @param projectDir the folder of the project, PROJECT_DIR
 * @throws CONTRACT_INVALID, FILE_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED, LABELS_INVALID
 */
export async function openContract(paths: ModelPaths, projectDir: string): Promise<Contract> {
  const file = join(dirname(paths.model), CONTRACT_FILE);
  if (!existsSync(file)) {
    const own = join(projectDir, CONTRACT_FILE);
    if (!existsSync(own)) return contractOfModel(paths.model, paths.labels);
    throw new InlayError('CONTRACT_INVALID', `${paths.model} has no ${CONTRACT_FILE} beside it, and ${own} is another model's`, {
      hint: 'Build an image of that model, or put its contract.json beside it.',
    });
  }
  return parseContract(await readFile(file, 'utf8'), file);
}
