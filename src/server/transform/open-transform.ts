import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../contract/index.ts';
import type { Engine } from '../../engine/index.ts';
import { InlayError } from '../../error/index.ts';
import { type BundleFile, digestOfFiles, loadTransform } from '../../transform/index.ts';
import type { Settings } from '../settings.ts';
import { Transformer } from './transformer.ts';

/**
 * Proves that a folder holds the transform that a contract promises, and returns it; undefined for a contract without one.
 * @param dir TRANSFORM_DIR @throws FILE_NOT_FOUND, INTEGRITY_MISMATCH
 */
export async function openTransform(contract: Contract, dir: string | undefined): Promise<string | undefined> {
  if (!contract.transform) return undefined;
  if (dir === undefined)
    throw new InlayError(
      'FILE_NOT_FOUND',
      `the contract promises a transform (${contract.transform.file}), and TRANSFORM_DIR is not set`,
      { hint: 'Set it to the folder of the bundled transform, or serve the project itself: inlay serve.' },
    );
  if (digestOfFiles(await filesOf(dir)) !== contract.transform.digest)
    throw new InlayError('INTEGRITY_MISMATCH', `${dir} is not the transform of its contract`, {
      hint: 'Build the image again.',
    });
  return dir;
}

/** The transform in a folder, for the model of an engine. @throws TRANSFORM_INVALID */
export async function openTransformer(
  dir: string,
  { contract, inputs }: Pick<Engine, 'contract' | 'inputs'>,
  { transformTimeoutMs }: Pick<Settings, 'transformTimeoutMs'>,
): Promise<Transformer> {
  return new Transformer({ transform: await loadTransform(dir), contract, inputs, timeoutMs: transformTimeoutMs });
}

async function filesOf(dir: string): Promise<BundleFile[]> {
  try {
    const names = await readdir(dir);
    return await Promise.all(
      names.map(async (name) => ({ name, content: new Uint8Array(await readFile(join(dir, name))) })),
    );
  } catch (cause) {
    throw new InlayError('FILE_NOT_FOUND', `the contract promises a transform in ${dir}, which cannot be read`, {
      cause,
      hint: 'Build the image again.',
    });
  }
}
