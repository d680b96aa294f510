import { bundleTransform, type TransformBundle } from './bundle.ts';
import { type LoadedTransform, loadTransform } from './load.ts';
import { unpackBundle } from './unpack.ts';

/** A project's transform: bundled, and loaded from where the bundle lies. */
export interface PreparedTransform {
  readonly bundle: TransformBundle;
  /** The folder of the bundle's files. */
  readonly dir: string;
  readonly loaded: LoadedTransform;
}

/** @throws as bundleTransform and loadTransform */
export async function prepareTransform(root: string, path: string): Promise<PreparedTransform> {
  const bundle = await bundleTransform(root, path);
  const dir = await unpackBundle(bundle);
  return { bundle, dir, loaded: await loadTransform(dir) };
}
