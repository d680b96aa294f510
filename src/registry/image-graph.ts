import { InlayError } from '../error/index.ts';
import { BASE_NAME, type Descriptor, type OciLayout } from '../image/index.ts';
import { type Manifest, parseManifest } from './manifest/manifests.ts';
import { type ImageReference, parseReference } from './reference.ts';

/** An image with all that it leads to, each thing once. */
export interface ImageGraph {
  readonly root: Manifest;
  /** The manifests below the root, deepest first, so that what refers comes after what is referred to. */
  readonly children: readonly Manifest[];
  readonly blobs: readonly Descriptor[];
}

/**
 * Walks from a manifest to everything below it.
 * @param read the manifest with that digest @throws whatever `read` throws
 */
export async function walkImage(
  root: Manifest,
  read: (descriptor: Descriptor) => Promise<Manifest>,
): Promise<ImageGraph> {
  const children = new Map<string, Manifest>();
  const blobs = new Map<string, Descriptor>();
  const visit = async (manifest: Manifest): Promise<void> => {
    for (const blob of manifest.blobs) blobs.set(blob.digest, blob);
    for (const descriptor of manifest.manifests) {
      if (children.has(descriptor.digest) || descriptor.digest === root.descriptor.digest) continue;
      const child = await read(descriptor);
      await visit(child);
      children.set(descriptor.digest, child);
    }
  };
  await visit(root);
  return { root, children: [...children.values()], blobs: [...blobs.values()] };
}

/** An image in a layout, and where those of its blobs lie that are not in it. */
export interface LocalGraph extends ImageGraph {
  /** The images, in registries, that it stands on: for each blob that is missing here, the one that has it. */
  readonly elsewhere: ReadonlyMap<string, ImageReference>;
}

/**
 * The graph of an image in a layout, each blob looked at: an image with holes is refused before anything is sent. What is missing
 * of an image that stands on another (org.opencontainers.image.base.name) is no hole: it lies there.
 * @throws IMAGE_NOT_FOUND, IMAGE_INVALID
 */
export async function graphInLayout(layout: OciLayout, reference: string): Promise<LocalGraph> {
  const read = async ({ digest }: { readonly digest: string }): Promise<Manifest> => {
    const manifest = parseManifest(await layout.readBytes(digest));
    if (manifest?.descriptor.digest === digest) return manifest;
    throw damaged(layout, digest);
  };
  const graph = await walkImage(await read(await layout.find(reference)), read);
  const bases = new Map<string, string>();
  for (const { annotations, blobs } of [...graph.children, graph.root]) {
    const base = annotations?.[BASE_NAME];
    if (base !== undefined) for (const { digest } of blobs) bases.set(digest, base);
  }
  const elsewhere = new Map<string, ImageReference>();
  for (const blob of graph.blobs) {
    if (await layout.has(blob)) continue;
    const base = bases.get(blob.digest);
    if (base === undefined) throw damaged(layout, blob.digest);
    elsewhere.set(blob.digest, parseReference(base));
  }
  return { ...graph, elsewhere };
}

function damaged(layout: OciLayout, digest: string): InlayError {
  return new InlayError('IMAGE_INVALID', `${digest} in ${layout.dir} is missing or damaged`, {
    hint: 'Build or pull the image again.',
  });
}
