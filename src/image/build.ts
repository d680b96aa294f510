import { join } from 'node:path';
import type { Project } from '../contract/index.ts';
import { prepareAptBase } from './base/index.ts';
import { type ImageFacts, imageAnnotations, imageLabels, LABEL_PREFIX } from './facts.ts';
import type { Compression } from './layer/compression.ts';
import { LAYER_FORMAT, type Layer, writeLayer } from './layer/layer.ts';
import { cachedLayer } from './layer/layer-cache.ts';
import type { Materials } from './materials.ts';
import { modelEntries, modelEnvironment, modelLayerKey } from './model-layer.ts';
import { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { Descriptor, ImageConfig, ImageIndex, ImageManifest, Platform } from './oci/schema.ts';
import { prepareRuntime } from './runtime/index.ts';
import { bundleServer, SERVER_DIR } from './server-layer.ts';

export type LayerKind = 'base' | 'runtime' | 'server' | 'model';

export interface BuildOptions {
  readonly project: Project;
  /** inlay's folder for images and caches (INLAY_HOME). */
  readonly home: string;
  readonly platforms: readonly Platform[];
  /** Of the layers below the model; the model layer is a plain tar. */
  readonly compression: Exclude<Compression, 'none'>;
  /** Where the base's packages are pinned; written on first use. */
  readonly lockPath: string;
  readonly inlayVersion: string;
  /** The time that files and config carry, seconds since 1970 (SOURCE_DATE_EPOCH). */
  readonly epochS: number;
  /** For the programs that fetch: apt, dpkg-deb and npm. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onProgress?: (event: { readonly step: string; readonly message: string }) => void;
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
}

/** The folder of the local image store in `home`. */
export function storeDir(home: string): string {
  return join(home, 'oci');
}

/** The reference that a project's image has in the store: `image:version`, or `name:version` without `image:`. */
export function referenceOf(project: Project): string {
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
  await layout.tag(reference, descriptor);
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
  const { project, home, compression, epochS: mtimeS, env, onProgress } = options;
  const cacheDir = join(home, 'cache');
  const common = { platform, cacheDir, env, ...(onProgress ? { onProgress } : {}) };
  const base = await prepareAptBase({ ...common, lockPath: options.lockPath });
  const runtime = await prepareRuntime(common);
  const server = await bundleServer();
  const shared = [
    {
      kind: 'base' as const,
      key: base.key,
      entries: base.entries,
      contents: `apt: ${base.facts.os.prettyName}, ${base.facts.packages.length} packages`,
    },
    {
      kind: 'runtime' as const,
      key: runtime.key,
      entries: runtime.entries,
      contents: `bun ${runtime.facts.bun}, onnxruntime ${runtime.facts.onnxruntime}`,
    },
    {
      kind: 'server' as const,
      key: server.key,
      entries: async () => server.entries,
      contents: `inlay ${options.inlayVersion}`,
    },
  ];
  const layers: (Layer & { kind: LayerKind; contents: string; reused: boolean })[] = [];
  for (const { kind, key, entries, contents } of shared) {
    const cacheKey = [LAYER_FORMAT, kind, platform.architecture, compression, mtimeS, key].join('\n');
    const layer = await cachedLayer(layout, join(cacheDir, 'layers'), cacheKey, async () => {
      onProgress?.({ step: kind, message: `composing ${contents}` });
      return writeLayer(layout, await entries(), { compression, mtimeS });
    });
    layers.push({ ...layer, kind, contents });
  }
  const modelKey = [LAYER_FORMAT, 'model', mtimeS, await modelLayerKey(project)].join('\n');
  const model = await cachedLayer(layout, join(cacheDir, 'layers'), modelKey, async () =>
    writeLayer(layout, await modelEntries(project), { compression: 'none', mtimeS }),
  );
  layers.push({ ...model, kind: 'model', contents: project.contract.model.file });

  const facts: ImageFacts = {
    os: base.facts.os,
    libraries: {
      bun: runtime.facts.bun,
      onnxruntime: runtime.facts.onnxruntime,
      ...Object.fromEntries(base.facts.packages.map((p) => [p.name, p.version])),
    },
  };
  const created = new Date(mtimeS * 1000).toISOString().replace('.000Z', 'Z');
  const config: ImageConfig = {
    created,
    architecture: platform.architecture,
    os: platform.os,
    config: {
      User: '65532:65532',
      ExposedPorts: { '8000/tcp': {}, '8001/tcp': {} },
      Env: Object.entries({ ...serverEnvironment, ...modelEnvironment(project) }).map(
        ([name, value]) => `${name}=${value}`,
      ),
      Entrypoint: ['/opt/inlay/bin/bun', '--no-env-file', '--no-install', `${SERVER_DIR}/main.js`],
      WorkingDir: '/model',
      Labels: { ...imageLabels(project, facts, options.inlayVersion) },
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((layer) => ({ created, created_by: `inlay ${layer.kind}`, comment: layer.contents })),
  };
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await layout.putJson(config, MEDIA_TYPE.config),
    layers: layers.map((layer) => ({ ...layer.descriptor, annotations: { [`${LABEL_PREFIX}layer`]: layer.kind } })),
    annotations: { ...imageAnnotations(project, options.inlayVersion) },
  };
  const descriptor = { ...(await layout.putJson(manifest, MEDIA_TYPE.manifest)), platform };
  return {
    descriptor,
    materials: {
      manifest: descriptor,
      os: base.facts.os,
      base: base.facts.packages,
      runtime: runtime.packages,
      server: server.packages,
    },
    layers: layers.map((layer) => ({
      kind: layer.kind,
      contents: layer.contents,
      digest: layer.descriptor.digest,
      mediaType: layer.descriptor.mediaType,
      sizeBytes: layer.descriptor.size,
      reused: layer.reused,
    })),
  };
}

/** The environment of every image; the model adds its own paths. */
const serverEnvironment: Readonly<Record<string, string>> = {
  PATH: '/opt/inlay/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOST: '0.0.0.0',
  PORT: '8000',
  GRPC_PORT: '8001',
  LOG_LEVEL: 'INFO',
  LOG_FORMAT: 'TEXT',
  // ONNX Runtime would write a device id and report to its maker.
  ORT_DISABLE_TELEMETRY: '1',
  // The root file system is read-only, and nothing is compiled twice.
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
};
