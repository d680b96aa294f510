export { type BaseChoice, chooseBase, DEFAULT_BASE } from './base/choice.ts';
export type { PinnedImage } from './base/from-image.ts';
export { readImagePackages } from './base/image-facts.ts';
export { lockBase } from './base/index.ts';
export { pinBaseImage, pinnedBaseImage, pinnedServerImage, pinServerImage, readLock } from './base/lock.ts';
export type { BasePackage } from './base/package-lists.ts';
export {
  type BuildOptions,
  type BuildResult,
  type BuiltImage,
  type BuiltLayer,
  buildImage,
  buildImage as build,
  referenceOf,
  storeDir,
} from './build.ts';
export { buildCliImage, type CliImageOptions } from './cli-image.ts';
export { type Env, hasProgram, runCommand } from './command.ts';
export { readImageContract } from './contract-layer.ts';
export { type DescribedImage, describeImage } from './described.ts';
export { exportDockerArchive } from './docker-archive.ts';
export { dockerfileOf, ejectImage } from './eject.ts';
export { exportLayout } from './export-layout.ts';
export { BASE_DIGEST, BASE_NAME, type ModelSource } from './facts.ts';
export { diffImages, type ImageDiff } from './image-diff.ts';
export { decompressed } from './layer/decompressed.ts';
export { type ReadEntry, readTar } from './layer/read-tar.ts';
export type { Materials } from './materials.ts';
export { ModelDigests } from './model-files.ts';
export { noted } from './note.ts';
export type { NpmPackage } from './npm-package.ts';
export { type ArtifactManifest, type AttachedDocument, type AttachedLayer, artifactManifest } from './oci/artifact.ts';
export type { Attachments } from './oci/attachments.ts';
export { tryLock } from './oci/file-lock.ts';
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
export { installOnnxRuntime } from './runtime/host.ts';
export { runtimeIsHere } from './runtime/index.ts';
export { RUNTIME_LOCK as RUNTIME_PACKAGES } from './runtime/lock.ts';
export { buildServerImage, type ServerImageOptions } from './server-image.ts';
export type { LayerKind } from './shared-layers.ts';
export { unpackModel } from './unpack-model.ts';
