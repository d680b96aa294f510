import type { OciLayout, PinnedServerImage } from '../image/index.ts';
import { type RegistryFlags, withRegistry } from './registry.ts';

/**
 * The server image that inlay.yaml names, by the digest that inlay.lock pins, or pinned now. Its manifests and configs are fetched
 * where the store lacks them; a build from what is there asks no registry.
 * @param anew pins what the reference names now
 */
export async function openServerImage(
  reference: string,
  options: { readonly layout: OciLayout; readonly lockPath: string; readonly anew?: boolean } & RegistryFlags,
): Promise<PinnedServerImage> {
  const { pinnedServerImage, pinServerImage } = await import('../image/index.ts');
  const { fetchManifests, parseReference } = await import('../registry/index.ts');
  const { layout, lockPath } = options;
  const from = parseReference(reference);
  const pinned = options.anew ? undefined : (from.digest ?? (await pinnedServerImage(lockPath, reference)));
  if (pinned !== undefined && (await isComplete(layout, pinned))) return { reference, digest: pinned };
  const exact = pinned === undefined ? from : { ...from, digest: pinned };
  const digest = await withRegistry(options, (registry, signal) =>
    fetchManifests({ registry, layout, from: exact, signal }),
  );
  if (pinned === undefined) await pinServerImage(lockPath, reference, digest);
  return { reference, digest };
}

/** Whether the manifests and configs of an image are in the store. */
async function isComplete(layout: OciLayout, digest: string): Promise<boolean> {
  const { indexSchema, manifestSchema } = await import('../image/index.ts');
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(await layout.readBytes(digest)));
    const index = indexSchema.safeParse(document);
    if (!index.success) return layout.has(manifestSchema.parse(document).config);
    const below = await Promise.all(index.data.manifests.map((manifest) => isComplete(layout, manifest.digest)));
    return below.every(Boolean);
  } catch {
    return false;
  }
}
