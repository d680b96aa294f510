import { InlayError } from '../error/index.ts';
import { OciLayout } from './oci/layout.ts';
import { referrersInLayout } from './oci/layout-attachments.ts';
import { type Descriptor, indexSchema, manifestSchema } from './oci/schema.ts';

/**
 * Copies an image with all its blobs, and what is attached to it, into an OCI layout of its own, under the tag of its reference, so that other
 * tools find it: `skopeo inspect oci:DIR:TAG`.
 * @throws IMAGE_NOT_FOUND, IMAGE_INVALID, INTEGRITY_MISMATCH
 */
export async function exportLayout(store: OciLayout, reference: string, dir: string): Promise<void> {
  const found = (await store.references()).find((known) => known.reference === reference)?.descriptor;
  if (!found) await store.resolve(reference, { os: '', architecture: '' }); // throws what is wrong
  const { annotations: _, ...root } = found as Descriptor;
  const target = await OciLayout.open(dir);
  const all = await reachable(store, root);
  for (const descriptor of all) {
    if (await target.has(descriptor)) continue;
    const { digest } = await target.putStream(store.stream(descriptor), descriptor.mediaType);
    if (digest !== descriptor.digest)
      throw new InlayError('INTEGRITY_MISMATCH', `${descriptor.digest} in ${store.dir} has the digest ${digest}`, {
        hint: 'Build or pull the image again.',
      });
  }
  for (const { digest } of all.filter((one) => one.mediaType.includes('json'))) {
    for (const referrer of await referrersInLayout(store, digest)) {
      for (const { digest: part } of await reachable(store, referrer))
        await target.putBytes(await store.readBytes(part), '');
      await target.list(referrer);
    }
  }
  await target.tag(reference.slice(reference.lastIndexOf(':') + 1), root);
}

/** The descriptor and all that it leads to: manifests, configs, layers; leaves first. */
async function reachable(store: OciLayout, root: Descriptor): Promise<Descriptor[]> {
  const document: unknown = root.mediaType.includes('json')
    ? JSON.parse(new TextDecoder().decode(await store.readBytes(root.digest)))
    : undefined;
  const index = indexSchema.safeParse(document);
  const manifest = manifestSchema.safeParse(document);
  const children = index.success
    ? index.data.manifests
    : manifest.success
      ? [manifest.data.config, ...manifest.data.layers]
      : [];
  const below = await Promise.all(children.map((child) => reachable(store, child)));
  return [...below.flat(), root];
}
