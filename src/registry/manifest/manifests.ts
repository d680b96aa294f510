import { createHash } from 'node:crypto';
import { type Descriptor, indexSchema, MEDIA_TYPE, manifestSchema } from '../../image/index.ts';
import { discard } from '../http/answer-body.ts';
import { bytesBody, type Repository } from '../repository.ts';

/** A manifest or an index, with the very bytes that its digest is of. */
export interface Manifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Manifests below it: those of an index. */
  readonly manifests: readonly Descriptor[];
  /** Config and layers. */
  readonly blobs: readonly Descriptor[];
  /** What it is attached to. */
  readonly subject?: Descriptor | undefined;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** When the registry says that it was stored (Last-Modified), ms since 1970; most do not say. */
  readonly storedAt?: number | undefined;
}

/** The largest manifest that registries have to take (distribution-spec, "Pushing Manifests"). */
const MANIFEST_LIMIT = 4 * 2 ** 20;

/** Every kind of manifest that is read here. */
export const ACCEPT = [
  MEDIA_TYPE.index,
  MEDIA_TYPE.manifest,
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const isDigest = (identifier: string) => identifier.startsWith('sha256:');

/** Asks by HEAD, which rate limits do not count, what a tag names: the answer's head; undefined where there is no such tag. */
export async function headTag(repository: Repository, tag: string): Promise<Response | undefined> {
  const response = await repository.request({
    step: `asking for tag ${tag}`,
    method: 'HEAD',
    target: `manifests/${tag}`,
    headers: { accept: ACCEPT },
    expect: [200, 404, 405],
  });
  await discard(response);
  return response.status === 404 ? undefined : response;
}

/** Gets a manifest by tag or digest; undefined when there is none. @throws INTEGRITY_MISMATCH, REGISTRY_FAILED */
export async function getManifest(repository: Repository, identifier: string): Promise<Manifest | undefined> {
  const step = `reading ${identifier}`;
  const { response, bytes } = await repository.read(
    { step, method: 'GET', target: `manifests/${identifier}`, headers: { accept: ACCEPT }, expect: [200, 404] },
    MANIFEST_LIMIT,
  );
  if (response.status === 404) return undefined;
  const digest = digestOf(bytes);
  const promised = isDigest(identifier) ? identifier : response.headers.get('docker-content-digest');
  if (promised?.startsWith('sha256:') && promised !== digest)
    throw repository.failure('INTEGRITY_MISMATCH', step, `what came has the digest ${digest}, not ${promised}`, {
      hint: `The copy in ${repository.host} is damaged, or something on the way changes bytes.`,
    });
  const type = response.headers.get('content-type')?.split(';')[0]?.trim();
  const manifest = parseManifest(bytes, type);
  if (manifest) return { ...manifest, storedAt: storedAt(response) };
  throw repository.failure('IMAGE_INVALID', step, 'what came is neither an image manifest nor an index', {
    hint: 'inlay reads OCI images and Docker images of schema 2; convert older ones with skopeo copy.',
  });
}

/** As `getManifest`. @throws REGISTRY_NOT_FOUND when there is none */
export async function requireManifest(repository: Repository, identifier: string): Promise<Manifest> {
  const manifest = await getManifest(repository, identifier);
  if (manifest) return manifest;
  throw repository.failure('REGISTRY_NOT_FOUND', `reading ${identifier}`, 'the registry has no such tag or digest', {
    hint: 'Look for a typing mistake; a registry may also hide what the login may not see.',
  });
}

/** Reads a manifest's links; undefined when the bytes are none. */
export function parseManifest(bytes: Uint8Array, mediaType?: string): Manifest | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const common = { digest: digestOf(bytes), size: bytes.byteLength };
  const manifest = manifestSchema.safeParse(json).data;
  if (manifest) {
    const type = manifest.mediaType ?? mediaType ?? MEDIA_TYPE.manifest;
    return {
      descriptor: { mediaType: type, ...common },
      bytes,
      manifests: [],
      blobs: [manifest.config, ...manifest.layers],
      subject: manifest.subject,
      artifactType: manifest.artifactType ?? manifest.config.mediaType,
      annotations: manifest.annotations,
    };
  }
  const index = indexSchema.safeParse(json).data;
  if (!index) return undefined;
  return {
    descriptor: { mediaType: index.mediaType ?? mediaType ?? MEDIA_TYPE.index, ...common },
    bytes,
    manifests: index.manifests,
    blobs: [],
    subject: index.subject,
    annotations: index.annotations,
  };
}

export interface PutResult {
  /** True when the registry has listed the manifest among its subject's referrers (OCI-Subject). */
  readonly subjectKnown: boolean;
  /** Blobs are missing that the manifest names: nothing was stored. */
  readonly missingBlobs: boolean;
}

/** Stores a manifest under a tag or its digest. @throws INTEGRITY_MISMATCH */
export async function putManifest(
  repository: Repository,
  identifier: string,
  manifest: Pick<Manifest, 'bytes' | 'descriptor'>,
  headers: Readonly<Record<string, string>> = {},
): Promise<PutResult & { readonly status: number }> {
  const step = isDigest(identifier) ? `storing manifest ${identifier}` : `setting tag ${identifier}`;
  const response = await repository.request({
    step,
    method: 'PUT',
    target: `manifests/${identifier}`,
    headers: { 'content-type': manifest.descriptor.mediaType, ...headers },
    body: bytesBody(manifest.bytes),
    expect: [201, 200, 202, 400, 404, 412],
  });
  if (!response.ok && response.status !== 412) {
    const answer = await repository.answer(response);
    if (answer.codes.some((code) => code === 'MANIFEST_BLOB_UNKNOWN' || code === 'BLOB_UNKNOWN'))
      return { subjectKnown: false, missingBlobs: true, status: response.status };
    throw repository.refused(step, answer);
  }
  await discard(response);
  const stored = response.headers.get('docker-content-digest');
  if (response.ok && stored?.startsWith('sha256:') && stored !== manifest.descriptor.digest)
    throw repository.failure(
      'INTEGRITY_MISMATCH',
      step,
      `the registry stored ${stored} for ${manifest.descriptor.digest}`,
      {
        hint: 'Something between here and the registry changes bytes: look at the proxy.',
      },
    );
  return { subjectKnown: response.headers.has('oci-subject'), missingBlobs: false, status: response.status };
}

/** When a manifest was stored, as its answer says, ms since 1970. */
export function storedAt(response: Response): number | undefined {
  const at = Date.parse(response.headers.get('last-modified') ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** Whether the registry has the manifest. */
export async function hasManifest(repository: Repository, digest: string): Promise<boolean> {
  const response = await repository.request({
    step: `asking for ${digest}`,
    method: 'HEAD',
    target: `manifests/${digest}`,
    headers: { accept: ACCEPT },
    expect: [200, 404],
  });
  return response.status === 200;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
