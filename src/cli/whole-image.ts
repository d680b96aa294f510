import type { OciLayout } from '../image/index.ts';
import type { Output } from './output.ts';
import { type RegistryFlags, showTransfer, withRegistry } from './registry.ts';

/** Has an image whole in the store, for what needs its layers. @throws as completeImage */
export async function haveWhole(
  layout: OciLayout,
  reference: string,
  flags: RegistryFlags,
  output: Output,
): Promise<void> {
  const { completeImage } = await import('../registry/index.ts');
  const onProgress = showTransfer(output, 'pulled  ');
  await withRegistry(flags, (registry, signal) => completeImage({ registry, layout, reference, onProgress, signal }));
}
