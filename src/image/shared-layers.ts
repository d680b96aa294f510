import { join } from 'node:path';
import { InlayError } from '../error/index.ts';
import type { PinnedImage } from './base/from-image.ts';
import { aptBase, imageBase } from './base-layers.ts';
import type { Env } from './command.ts';
import { type ImageFacts, LABEL_PREFIX, type ServerAbility, serverFacts } from './facts.ts';
import type { Compression } from './layer/compression.ts';
import type { Layer } from './layer/layer.ts';
import type { Materials } from './materials.ts';
import type { OciLayout } from './oci/layout.ts';
import type { ImageConfig, Platform } from './oci/schema.ts';
import { placer } from './placer.ts';
import { platformName } from './platform.ts';
import { prepareServer } from './prepared-server.ts';
import { prepareRuntime } from './runtime/index.ts';
import { RUNTIME_LOCK } from './runtime/lock.ts';

export type LayerKind = 'base' | 'runtime' | 'server' | 'cli' | 'transform' | 'model';

/** A layer in its place in an image. */
export interface PlacedLayer extends Layer {
  readonly kind: LayerKind;
  /** What is in it, for people. */
  readonly contents: string;
  /** True when an earlier build had made it. */
  readonly reused: boolean;
}

/** All of an image below its model: the same for every model of a team. */
export interface SharedLayers {
  readonly layers: readonly PlacedLayer[];
  readonly facts: ImageFacts;
  readonly materials: Omit<Materials, 'manifest'>;
  /** Of the image that the first layers were taken from. */
  readonly under?: ImageConfig | undefined;
}

export interface ComposeOptions {
  /** inlay's folder for images and caches (INLAY_HOME). */
  readonly home: string;
  readonly compression: Exclude<Compression, 'none'>;
  /** The image to stand on, whose layers for the platforms are in the store; without it apt composes the base. */
  readonly base?: PinnedImage | undefined;
  /** Where the base's packages are pinned; written on first use. */
  readonly lockPath: string;
  readonly inlayVersion: string;
  /** The time that files and config carry, seconds since 1970 (SOURCE_DATE_EPOCH). */
  readonly epochS: number;
  /** For the programs that fetch: apt, dpkg-deb and npm. */
  readonly env: Env;
  readonly onProgress?: (event: { readonly step: string; readonly message: string }) => void;
}

/**
 * Base, runtime and server for one platform, from the store where they have been composed before.
 * @throws BASE_UNAVAILABLE, BASE_MOVED, BASE_INVALID, LOCK_INVALID, RUNTIME_UNAVAILABLE, INTEGRITY_MISMATCH, PLATFORM_UNSUPPORTED
 */
export async function composeShared(
  layout: OciLayout,
  platform: Platform,
  options: ComposeOptions,
): Promise<SharedLayers> {
  const { home, env, onProgress } = options;
  const cacheDir = join(home, 'cache');
  const common = { platform, cacheDir, env, ...(onProgress ? { onProgress } : {}) };
  const runtime = await prepareRuntime(common);
  const base = options.base
    ? await imageBase(layout, platform, options.base, { cacheDir, runtime })
    : await aptBase(layout, platform, options);
  const server = await prepareServer(cacheDir);
  const place = placer(layout, platform, options);
  const layers = [
    ...base.layers,
    await place('runtime', `bun ${runtime.facts.bun}, onnxruntime ${runtime.facts.onnxruntime}`, runtime),
    await place('server', `inlay ${options.inlayVersion}`, server),
  ];
  return {
    layers,
    facts: { os: base.materials.os.prettyName, libraries: { ...runtime.facts, ...base.libraries } },
    materials: {
      ...base.materials,
      runtime: runtime.packages,
      server: server.packages,
      serverVersion: options.inlayVersion,
    },
    under: base.under,
  };
}

/**
 * The layers of a shared server image, as it says itself.
 * @param image its manifests and configs are in the store; its layers need not be @param needs what the server has to be able to do
 * @throws SERVER_IMAGE_INVALID, PLATFORM_UNSUPPORTED, IMAGE_INVALID
 */
export async function sharedOf(
  layout: OciLayout,
  platform: Platform,
  image: PinnedImage,
  needs: readonly ServerAbility[],
): Promise<SharedLayers> {
  const { manifest, config } = await layout.resolve(image.digest, platform);
  const told = serverFacts(config);
  const onnxruntime = told?.facts.libraries.onnxruntime;
  const kinds = manifest.layers.map((layer) => layer.annotations?.[`${LABEL_PREFIX}layer`]);
  const fault =
    told === undefined ||
    !/^(base,)+runtime,server$/.test(kinds.join()) ||
    config.rootfs.diff_ids.length !== kinds.length
      ? 'is no server image of inlay'
      : onnxruntime !== RUNTIME_LOCK['onnxruntime-node']?.version
        ? `has ONNX Runtime ${onnxruntime}, but check has looked at the model with ${RUNTIME_LOCK['onnxruntime-node']?.version}`
        : needs.every((need) => told.can.includes(need))
          ? undefined
          : `cannot serve a model with a ${needs.join(', ')}`;
  if (told === undefined || fault !== undefined)
    throw new InlayError(
      'SERVER_IMAGE_INVALID',
      `serverImage: ${image.reference} (${platformName(platform)}) ${fault}`,
      {
        hint: 'Build it with this inlay: inlay server-image REGISTRY/REPOSITORY:TAG --push; then inlay lock.',
      },
    );
  const history = config.history?.filter((entry) => entry.empty_layer !== true);
  return {
    layers: manifest.layers.map(({ mediaType, digest, size }, i) => ({
      descriptor: { mediaType, digest, size },
      diffId: config.rootfs.diff_ids[i] as string,
      kind: kinds[i] as LayerKind,
      contents: history?.[i]?.comment ?? image.reference,
      reused: true,
    })),
    facts: told.facts,
    materials: { ...told.materials, serverImage: image },
    under: config,
  };
}
