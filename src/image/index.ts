export { lockBase } from './base/index.ts';
export {
  type BuildOptions,
  type BuildResult,
  type BuiltImage,
  type BuiltLayer,
  buildImage,
  type LayerKind,
  referenceOf,
  storeDir,
} from './build.ts';
export { type Env, runCommand } from './command.ts';
export { type DescribedImage, describeImage } from './described.ts';
export { exportLayout } from './export-layout.ts';
export type { Materials } from './materials.ts';
export type { NpmPackage } from './npm-package.ts';
export { type ArtifactManifest, type AttachedDocument, type AttachedLayer, artifactManifest } from './oci/artifact.ts';
export type { Attachments } from './oci/attachments.ts';
export { OciLayout, type ResolvedImage } from './oci/layout.ts';
export { attachInLayout, attachmentsInLayout, referrersInLayout } from './oci/layout-attachments.ts';
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
