import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Contract, contractOfModel, type Golden, parseContract, parseGolden } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { ModelPaths } from './model-paths.ts';

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
    throw new InlayError(
      'CONTRACT_INVALID',
      `${paths.model} has no ${CONTRACT_FILE} beside it, and ${own} is another model's`,
      {
        hint: 'Build an image of that model, or put its contract.json beside it.',
      },
    );
  }
  return parseContract(readFileSync(file, 'utf8'), file);
}

/**
 * The golden cases that travel with a model, where its contract says so.
 * @throws FILE_NOT_FOUND, INTEGRITY_MISMATCH, GOLDEN_INVALID
 */
export async function openGolden(contract: Contract, modelPath: string): Promise<Golden | undefined> {
  if (!contract.golden?.inImage) return undefined;
  const file = join(dirname(modelPath), contract.golden.file);
  if (!existsSync(file))
    throw new InlayError('FILE_NOT_FOUND', `the contract promises golden cases in ${file}, which is not there`, {
      hint: 'Build the image again.',
    });
  const content = new Uint8Array(readFileSync(file));
  if (`sha256:${new Bun.CryptoHasher('sha256').update(content).digest('hex')}` !== contract.golden.digest) {
    throw new InlayError('INTEGRITY_MISMATCH', `${file} is not the golden file of its contract`, {
      hint: 'Build the image again.',
    });
  }
  return parseGolden(content, contract.golden.file, contract, contract.classes);
}
