import { join } from 'node:path';
import { baseFromImage, type PinnedImage, requireFit } from './base/from-image.ts';
import type { BaseImageFacts } from './base/image-facts.ts';
import { prepareAptBase } from './base/index.ts';
import type { Layer } from './layer/layer.ts';
import type { SharedMaterials } from './materials.ts';
import { noted } from './note.ts';
import type { OciLayout } from './oci/layout.ts';
import type { ImageConfig, Platform } from './oci/schema.ts';
import { placer } from './placer.ts';
import type { Runtime } from './runtime/index.ts';
import { needsOf, needsSchema } from './runtime/needs.ts';
import type { ComposeOptions, PlacedLayer, SharedLayers } from './shared-layers.ts';

/**
 * An image of the user's own that serves the model itself: nothing is put onto it but that.
 * @throws BASE_INVALID, PLATFORM_UNSUPPORTED, IMAGE_INVALID
 */
export async function baseAlone(
  layout: OciLayout,
  platform: Platform,
  base: PinnedImage,
  home: string,
): Promise<SharedLayers> {
  const { layers, libraries, materials, under } = await imageBase(layout, platform, base, {
    cacheDir: join(home, 'cache'),
  });
  return {
    layers,
    facts: { os: materials.os.prettyName, libraries },
    materials: { ...materials, runtime: [], server: [] },
    under,
  };
}

/** What is at the bottom of an image. */
export interface Base {
  readonly layers: readonly PlacedLayer[];
  readonly libraries: Readonly<Record<string, string>>;
  readonly materials: Pick<SharedMaterials, 'os' | 'base' | 'baseImage'>;
  readonly under?: ImageConfig;
}

/** @throws BASE_UNAVAILABLE, BASE_MOVED, LOCK_INVALID, INTEGRITY_MISMATCH */
export async function aptBase(layout: OciLayout, platform: Platform, options: ComposeOptions): Promise<Base> {
  const { home, env, lockPath, onProgress } = options;
  const common = { platform, cacheDir: join(home, 'cache'), env, lockPath, ...(onProgress ? { onProgress } : {}) };
  const base = await prepareAptBase(common);
  const { os, packages } = base.facts;
  const contents = `apt: ${os.prettyName}, ${packages.length} packages`;
  return {
    layers: [await placer(layout, platform, options)('base', contents, base)],
    libraries: Object.fromEntries(packages.map(({ name, version }) => [name, version])),
    materials: { os, base: packages },
  };
}

/**
 * @param needs.runtime what is to run on it; without it the image is taken as it is
 * @throws BASE_INVALID, PLATFORM_UNSUPPORTED, IMAGE_INVALID
 */
export async function imageBase(
  layout: OciLayout,
  platform: Platform,
  image: PinnedImage,
  { cacheDir, runtime }: { readonly cacheDir: string; readonly runtime?: Runtime },
): Promise<Base> {
  const { layers, facts, config } = await baseFromImage(layout, platform, image, cacheDir);
  if (runtime !== undefined) {
    const note = join(cacheDir, 'runtime', `needs-${runtime.key}.json`);
    const needs = await noted(note, needsSchema, async () => needsOf(await runtime.entries()));
    requireFit(image, platform, facts, needs);
  }
  const [first, ...others] = layers;
  const told = `${image.reference}: ${facts.os.prettyName}, ${facts.packages.length} packages`;
  const placed = (layer: Layer, contents: string) => ({ ...layer, kind: 'base' as const, contents, reused: true });
  return {
    layers: [
      ...(first ? [placed(first, told)] : []),
      ...others.map((layer, i) => placed(layer, `${image.reference}, layer ${i + 2} of ${layers.length}`)),
    ],
    libraries: { ...pythonOf(config), ...librariesOf(facts) },
    materials: { os: facts.os, base: [], baseImage: { ...image, packages: facts.packages } },
    under: config,
  };
}

/** The interpreter that Docker's own Python images built: no package lists it, and a variable names its version. */
function pythonOf({ config }: ImageConfig): Record<string, string> {
  const version = config.Env?.map((pair) => /^PYTHON_VERSION=(\d[\w.]*)$/.exec(pair)?.[1]).find(Boolean);
  return version === undefined ? {} : { python: version };
}

/** Packages by name; one of Python's that has the name of one of the system's is told apart. */
function librariesOf({ packages }: BaseImageFacts): Record<string, string> {
  const system = packages.filter(({ type }) => type !== 'pypi');
  const names = new Set(system.map(({ name }) => name));
  const python = packages.filter(({ type }) => type === 'pypi');
  return Object.fromEntries([
    ...system.map(({ name, version }) => [name, version]),
    ...python.map(({ name, version }) => [names.has(name) ? `${name} (pypi)` : name, version]),
  ]) as Record<string, string>;
}
