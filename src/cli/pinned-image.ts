import type { OciLayout, PinnedImage, Platform } from '../image/index.ts';
import type { Output } from './output.ts';
import { type RegistryFlags, showTransfer, withRegistry } from './registry.ts';

export interface OpenOptions extends RegistryFlags {
  readonly layout: OciLayout;
  readonly lockPath: string;
  /** Pins what the reference names now. */
  readonly anew?: boolean;
}

/**
 * The server image that inlay.yaml names, by the digest that inlay.lock pins, or pinned now. Its manifests and configs are fetched
 * where the store lacks them; a build from what is there asks no registry.
 */
export async function openServerImage(reference: string, options: OpenOptions): Promise<PinnedImage> {
  const { pinnedServerImage, pinServerImage } = await import('../image/index.ts');
  return open(reference, options, { pinned: pinnedServerImage, pin: pinServerImage, layersFor: [] });
}

/** As `openServerImage`, the image that `base:` or `--base` names; its layers for the platforms are fetched too. */
async function openBaseImage(
  reference: string,
  options: OpenOptions & { readonly platforms: readonly Platform[]; readonly output: Output },
): Promise<PinnedImage> {
  const { pinnedBaseImage, pinBaseImage } = await import('../image/index.ts');
  const lock = { pinned: pinnedBaseImage, pin: pinBaseImage, layersFor: options.platforms };
  return open(reference, options, lock, options.output);
}

interface Pins {
  readonly pinned: (lockPath: string, reference: string) => Promise<string | undefined>;
  readonly pin: (lockPath: string, reference: string, digest: string) => Promise<void>;
  readonly layersFor: readonly Platform[];
}

async function open(reference: string, options: OpenOptions, lock: Pins, output?: Output): Promise<PinnedImage> {
  const { fetchImage, parseReference } = await import('../registry/index.ts');
  const { layout, lockPath } = options;
  const from = parseReference(reference);
  const pinned = options.anew ? undefined : (from.digest ?? (await lock.pinned(lockPath, reference)));
  if (pinned !== undefined && (await isComplete(layout, pinned, lock.layersFor))) return { reference, digest: pinned };
  const exact = pinned === undefined ? from : { ...from, digest: pinned };
  output?.progress(`base      fetching ${reference}`);
  const onProgress = output && showTransfer(output, 'pulled  ');
  const digest = await withRegistry(options, (registry, signal) =>
    fetchImage({ registry, layout, from: exact, layersFor: lock.layersFor, onProgress, signal }),
  );
  if (pinned === undefined) await lock.pin(lockPath, reference, digest);
  return { reference, digest };
}

/** Whether the manifests and configs of an image are in the store, and the layers of some of its platforms. */
async function isComplete(layout: OciLayout, digest: string, platforms: readonly Platform[]): Promise<boolean> {
  const { indexSchema, manifestSchema } = await import('../image/index.ts');
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(await layout.readBytes(digest)));
    const index = indexSchema.safeParse(document);
    if (!index.success) {
      const { config, layers } = manifestSchema.parse(document);
      const blobs = [config, ...(platforms.length > 0 ? layers : [])];
      return (await Promise.all(blobs.map((blob) => layout.holds(blob)))).every(Boolean);
    }
    const below = index.data.manifests.map(({ digest: child, platform }) => {
      const fits = platforms.filter((one) => one.os === platform?.os && one.architecture === platform.architecture);
      return isComplete(layout, child, fits);
    });
    return (await Promise.all(below)).every(Boolean);
  } catch {
    return false;
  }
}

export const BASE = [
  '--base <image>',
  'what the image stands on instead of base: of inlay.yaml: apt, or an image',
] as const;

/**
 * The image that a build stands on; undefined where apt composes it.
 * @param asked `--base`, or else `base:` of inlay.yaml @throws REFERENCE_INVALID, LOCK_INVALID, those of every registry request
 */
export async function openBase(
  asked: string | undefined,
  options: OpenOptions & { readonly platforms: readonly Platform[]; readonly output: Output },
): Promise<PinnedImage | undefined> {
  const { chooseBase, hasProgram, readLock } = await import('../image/index.ts');
  const choice = chooseBase(asked, await readLock(options.lockPath), hasProgram('apt-get', process.env));
  return choice.kind === 'apt' ? undefined : openBaseImage(choice.reference, options);
}
