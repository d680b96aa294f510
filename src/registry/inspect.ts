import { type Attachments, attachmentsInLayout, type DescribedImage, describeImage } from '../image/index.ts';
import { type Attached, attachedTo } from './attached.ts';
import { attachmentsInRegistry } from './attachments.ts';
import { type LocateOptions, locateImage } from './locate.ts';
import { parseReference } from './reference.ts';

export type InspectOptions = LocateOptions;

export interface InspectedImage extends DescribedImage {
  readonly reference: string;
  readonly digest: string;
  /** Where it was found. */
  readonly from: 'store' | 'registry';
  /** What is attached to it and to this platform's manifest that signs them; nothing is verified. */
  readonly signatures: readonly Attached[];
  readonly sboms: readonly Attached[];
  readonly provenance: readonly Attached[];
}

/**
 * What is in an image, without its layers: from the store where it is there, else from its registry.
 * @throws IMAGE_NOT_FOUND, PLATFORM_UNSUPPORTED, REGISTRY_NOT_FOUND, IMAGE_INVALID
 */
export async function inspectImage(options: InspectOptions): Promise<InspectedImage> {
  const { registry, layout, signal } = options;
  const { reference, digest, manifestDigest, manifest, config, from } = await locateImage(options);
  const attachments =
    from === 'store'
      ? await attachmentsInLayout(layout, reference)
      : await attachmentsInRegistry({ registry, reference: parseReference(options.reference), write: false, signal });
  const attached = await attachedHere(attachments, [digest, manifestDigest]);
  return { reference, digest, from, ...describeImage(manifest, config), ...attached };
}

async function attachedHere(attachments: Attachments, digests: readonly string[]) {
  const attached = (await Promise.all([...new Set(digests)].map((digest) => attachedTo(attachments, digest)))).flat();
  const of = (kind: Attached['kind']) => attached.filter((one) => one.kind === kind);
  return { signatures: of('signature'), sboms: of('sbom'), provenance: of('provenance') };
}
