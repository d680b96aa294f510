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
export { exportLayout } from './export-layout.ts';
export { OciLayout, type ResolvedImage } from './oci/layout.ts';
export { MEDIA_TYPE } from './oci/media-types.ts';
export type { Descriptor, ImageConfig, ImageManifest, Platform } from './oci/schema.ts';
export { hostPlatform, parsePlatform, platformName } from './platform.ts';
