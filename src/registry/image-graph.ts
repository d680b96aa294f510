import { InlayError } from '../error/index.ts';
import { BASE_DIGEST, BASE_NAME, type Descriptor, type OciLayout } from '../image/index.ts';
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

/** An image in a layout, with what lies in registries already. */
export interface LocalGraph extends ImageGraph {
  /** For each blob that is missing here, the image in a registry that it stands on and that has it. */
  readonly elsewhere: ReadonlyMap<string, ImageReference>;
  /** For each blob of an image below, whether it is here or not, that image. */
  readonly below: ReadonlyMap<string, ImageReference>;
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
  const bases = new Map<string, ImageReference>();
  const below = new Map<string, ImageReference>();
  for (const { annotations, blobs } of [...graph.children, graph.root]) {
    const base = annotations?.[BASE_NAME];
    if (base === undefined) continue;
    const lies = parseReference(base);
    const there = await blobsBelow(layout, annotations?.[BASE_DIGEST]);
    for (const { digest } of blobs) {
      bases.set(digest, lies);
      if (there.has(digest)) below.set(digest, lies);
    }
  }
  const elsewhere = new Map<string, ImageReference>();
  for (const blob of graph.blobs) {
    if (await layout.has(blob)) continue;
    const base = bases.get(blob.digest);
    if (base === undefined) throw damaged(layout, blob.digest);
    elsewhere.set(blob.digest, base);
  }
  return { ...graph, elsewhere, below: new Map([...below, ...elsewhere]) };
}

/** The blobs of an image that another stands on, as far as its manifests are in the layout: of an image that was pulled they are not. */
async function blobsBelow(layout: OciLayout, digest: string | undefined): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const visit = async (of: string): Promise<void> => {
    const bytes = await layout.readBytes(of).catch(() => undefined);
    const manifest = bytes && parseManifest(bytes);
    for (const blob of manifest?.blobs ?? []) found.add(blob.digest);
    for (const child of manifest?.manifests ?? []) await visit(child.digest);
  };
  if (digest !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest)) await visit(digest);
  return found;
}

function damaged(layout: OciLayout, digest: string): InlayError {
  return new InlayError('IMAGE_INVALID', `${digest} in ${layout.dir} is missing or damaged`, {
    hint: 'Build or pull the image again.',
  });
}
