import type { Attachments, Descriptor } from '../image/index.ts';

/** Something attached to a manifest, by what it says of itself. */
export interface Attached {
  readonly kind: 'signature' | 'sbom' | 'provenance' | 'other';
  readonly digest: string;
  readonly artifactType: string;
  /** The digest of the index or manifest that it is attached to. */
  readonly subject: string;
}

/** What is needed to see what is attached to a manifest. */
type AttachedReader = Pick<Attachments, 'referrers' | 'manifest'>;

/** Written by cosign and by inlay into the manifest of a bundle. */
const PREDICATE = 'dev.sigstore.bundle.predicateType';

/** What is attached to a manifest, cosign's older tags included (cosign, SIGNATURE_SPEC.md). */
export async function attachedTo(attachments: AttachedReader, subject: string): Promise<Attached[]> {
  const found: Attached[] = [];
  for (const descriptor of await attachments.referrers(subject)) {
    const artifactType = descriptor.artifactType ?? descriptor.mediaType;
    const kind = kindOf(artifactType, await predicateOf(attachments, descriptor));
    found.push({ kind, digest: descriptor.digest, artifactType, subject });
  }
  const legacy = `${subject.replace(':', '-')}.sig`;
  if ((await attachments.manifest(legacy)) !== undefined)
    found.push({
      kind: 'signature',
      digest: legacy,
      artifactType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      subject,
    });
  return found;
}

/** Registries need not repeat annotations in their list of referrers: then the manifest is asked. */
async function predicateOf(attachments: AttachedReader, descriptor: Descriptor): Promise<string | undefined> {
  if (!descriptor.artifactType?.includes('sigstore.bundle')) return undefined;
  const listed = descriptor.annotations?.[PREDICATE];
  if (listed !== undefined) return listed;
  const bytes = await attachments.manifest(descriptor.digest);
  if (bytes === undefined) return undefined;
  const { annotations } = JSON.parse(new TextDecoder().decode(bytes)) as { annotations?: Record<string, string> };
  return annotations?.[PREDICATE];
}

function kindOf(artifactType: string, predicateType: string | undefined): Attached['kind'] {
  if (predicateType?.startsWith('https://slsa.dev/provenance/')) return 'provenance';
  if (predicateType?.startsWith('https://cyclonedx.org/bom')) return 'sbom';
  if (/sigstore\.bundle|cosign|notary\.signature/.test(artifactType)) return 'signature';
  if (/cyclonedx|spdx/.test(artifactType)) return 'sbom';
  return /in-toto/.test(artifactType) ? 'provenance' : 'other';
}
