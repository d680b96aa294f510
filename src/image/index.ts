export { lockBase } from './base/index.ts';
export {
  type BuildOptions,
  type BuiltImage,
  type BuiltLayer,
  buildImage,
  type LayerKind,
  referenceOf,
  storeDir,
} from './build.ts';
export { type DescribedImage, describeImage } from './described.ts';
export { exportLayout } from './export-layout.ts';
export { ModelDigests } from './model-files.ts';
export { OciLayout, type ResolvedImage } from './oci/layout.ts';
export { MEDIA_TYPE } from './oci/media-types.ts';
export {
  configSchema,
  type Descriptor,
  descriptorSchema,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  indexSchema,
  manifestSchema,
  type Platform,
} from './oci/schema.ts';
export { hostPlatform, parsePlatform, platformName } from './platform.ts';
