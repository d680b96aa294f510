import { type BuiltImage, storeDir } from './build.ts';
import { serverLabels } from './facts.ts';
import { OciLayout } from './oci/layout.ts';
import type { Platform } from './oci/schema.ts';
import { type ComposeOptions, composeShared } from './shared-layers.ts';
import { putWithoutModel } from './without-model.ts';

export interface ServerImageOptions extends ComposeOptions {
  /** What it is called in the store. */
  readonly reference: string;
  readonly platforms: readonly Platform[];
}

/**
 * Builds the part that all models of a team share, base, runtime and server, as an image of its own: its layers are byte for byte
 * those that `buildImage` composes. @throws as buildImage
 */
export async function buildServerImage(options: ServerImageOptions): Promise<BuiltImage> {
  const layout = await OciLayout.open(storeDir(options.home));
  const { descriptor, platforms } = await putWithoutModel(layout, options, async (platform) => {
    const { layers, facts, materials, under } = await composeShared(layout, platform, options);
    return { layers, under, program: 'server', labels: serverLabels(facts, materials, options.inlayVersion) };
  });
  await layout.tag(options.reference, descriptor);
  return { reference: options.reference, digest: descriptor.digest, platforms };
}
