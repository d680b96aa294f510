import { join } from 'node:path';
import type { AnyProject, Project } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { PinnedImage } from './base/from-image.ts';
import { baseAlone } from './base-layers.ts';
import { baseAnnotations, imageAnnotations, imageLabels, type ModelSource } from './facts.ts';
import { LAYER_FORMAT, writeLayer } from './layer/layer.ts';
import { cachedLayer } from './layer/layer-cache.ts';
import type { Materials } from './materials.ts';
import { modelFileLayer, OWN_LAYER_BYTES } from './model-files.ts';
import { bigModelFiles, modelEntries, modelEnvironment, modelLayerKey } from './model-layer.ts';
import { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { Descriptor, ImageIndex, Platform } from './oci/schema.ts';
import { opaqueEnvironment, opaqueLayers } from './opaque-layers.ts';
import { putImage } from './put-image.ts';
import {
  type ComposeOptions,
  composeShared,
  type LayerKind,
  type PlacedLayer,
  type SharedLayers,
  sharedOf,
} from './shared-layers.ts';
import { transformLayer, transformMaterials } from './transform-layer.ts';

export interface BuildOptions extends ComposeOptions {
  readonly project: AnyProject;
  readonly platforms: readonly Platform[];
  /** Layers of the store that were written for this build already. */
  readonly written?: ReadonlySet<string>;
  /** The pushed image to stand on; without it the same layers are composed here. */
  readonly serverImage?: PinnedImage | undefined;
  /** Where the model was fetched from, if it was. */
  readonly source?: ModelSource | undefined;
}

export interface BuiltLayer {
  readonly kind: LayerKind;
  /** What is in it, for people. */
  readonly contents: string;
  readonly digest: string;
  readonly mediaType: string;
  /** Compressed, bytes. */
  readonly sizeBytes: number;
  /** True when an earlier build had made it. */
  readonly reused: boolean;
}

export interface BuiltImage {
  readonly reference: string;
  /** Of the index. */
  readonly digest: string;
  readonly platforms: readonly {
    readonly platform: string;
    readonly digest: string;
    readonly sizeBytes: number;
    readonly layers: readonly BuiltLayer[];
  }[];
}

/** An image, and what is told of it in statements that are attached to it. */
export interface BuildResult {
  readonly image: BuiltImage;
  readonly index: Descriptor;
  readonly materials: readonly Materials[];
}

interface PlatformImage {
  readonly descriptor: Descriptor;
  readonly materials: Materials;
  readonly layers: readonly BuiltLayer[];
  /** Of these layers, those that no other image brings. */
  readonly own: readonly Descriptor[];
}

/** The folder of the local image store in `home`. */
export function storeDir(home: string): string {
  return join(home, 'oci');
}

/** The reference that a project's image has in the store: `image:version`, or `name:version` without `image:`. */
export function referenceOf(project: AnyProject): string {
  return `${project.config.image ?? project.config.name}:${project.config.version}`;
}

/**
 * Builds a project's model image into the local store and names it. Same inputs, same digest.
 * @throws BASE_UNAVAILABLE, BASE_MOVED, LOCK_INVALID, RUNTIME_UNAVAILABLE, INTEGRITY_MISMATCH, PLATFORM_UNSUPPORTED
 */
export async function buildImage(options: BuildOptions): Promise<BuildResult> {
  const layout = await OciLayout.open(storeDir(options.home));
  const images: PlatformImage[] = [];
  for (const platform of options.platforms) images.push(await buildPlatform(layout, platform, options));
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.index,
    manifests: images.map((image) => image.descriptor),
    annotations: { ...imageAnnotations(options.project, options.inlayVersion) },
  };
  const descriptor = await layout.putJson(index, MEDIA_TYPE.index);
  const reference = referenceOf(options.project);
  await layout.tag(
    reference,
    descriptor,
    images.flatMap(({ own }) => own),
  );
  const image: BuiltImage = {
    reference,
    digest: descriptor.digest,
    platforms: images.map(({ descriptor: manifest, layers }) => ({
      platform: `${manifest.platform?.os}/${manifest.platform?.architecture}`,
      digest: manifest.digest,
      sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
      layers,
    })),
  };
  return { image, index: descriptor, materials: images.map(({ materials }) => materials) };
}

async function buildPlatform(layout: OciLayout, platform: Platform, options: BuildOptions): Promise<PlatformImage> {
  const { project, serverImage, base } = options;
  const shared = await sharedLayers(layout, platform, options);
  const opaque = project.format === 'opaque';
  const own = opaque
    ? await opaqueLayers(layout, project, options)
    : [...(await transformLayer(layout, project, options)), ...(await modelLayers(layout, project, options))];
  const layers = [...shared.layers, ...own];
  const descriptor = await putImage(layout, {
    platform,
    layers,
    under: shared.under,
    program: opaque ? 'base' : 'server',
    env: opaque ? opaqueEnvironment(project) : modelEnvironment(project),
    workingDir: '/model',
    labels: imageLabels(project, shared.facts, options.inlayVersion, options.source),
    annotations: { ...imageAnnotations(project, options.inlayVersion), ...baseAnnotations(serverImage ?? base) },
    epochS: options.epochS,
  });
  const materials = { ...shared.materials, manifest: descriptor, ...(opaque ? {} : await transformMaterials(project)) };
  const made = serverImage || base ? own : layers;
  return { descriptor, materials, layers: layers.map(builtLayer), own: made.map((layer) => layer.descriptor) };
}

/** All that lies below the model. */
function sharedLayers(layout: OciLayout, platform: Platform, options: BuildOptions): Promise<SharedLayers> {
  const { project, serverImage, base, home } = options;
  if (project.format === 'onnx')
    return serverImage
      ? sharedOf(layout, platform, serverImage, project.transform === undefined ? [] : ['transform'])
      : composeShared(layout, platform, options);
  if (base) return baseAlone(layout, platform, base, home);
  throw new InlayError('CONFIG_INVALID', 'an opaque model needs an image of your own that serves it as base', {
    hint: 'Name it in inlay.yaml: base: REGISTRY/REPOSITORY:TAG.',
  });
}

/** The files of the model: the big ones by themselves, then all others. */
async function modelLayers(layout: OciLayout, project: Project, options: BuildOptions): Promise<PlacedLayer[]> {
  const { epochS: mtimeS } = options;
  const cacheDir = join(options.home, 'cache');
  const layers: PlacedLayer[] = [];
  for (const { path, file } of bigModelFiles(project)) {
    const layer = await modelFileLayer(layout, cacheDir, path, file, mtimeS);
    const reused = layer.reused && !options.written?.has(layer.descriptor.digest);
    layers.push({ ...layer, reused, kind: 'model', contents: file.file });
  }
  const key = [LAYER_FORMAT, 'model and small files, contract first', mtimeS, await modelLayerKey(project)].join('\n');
  const rest = await cachedLayer(layout, join(cacheDir, 'layers'), key, async () =>
    writeLayer(layout, await modelEntries(project), { compression: 'none', mtimeS }),
  );
  const small = project.contract.model.sizeBytes < OWN_LAYER_BYTES;
  return [...layers, { ...rest, kind: 'model', contents: small ? project.contract.model.file : 'contract.json' }];
}

export function builtLayer(layer: PlacedLayer): BuiltLayer {
  return {
    kind: layer.kind,
    contents: layer.contents,
    digest: layer.descriptor.digest,
    mediaType: layer.descriptor.mediaType,
    sizeBytes: layer.descriptor.size,
    reused: layer.reused,
  };
}
