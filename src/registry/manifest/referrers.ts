import { type Descriptor, indexSchema, MEDIA_TYPE } from '../../image/index.ts';
import type { Repository } from '../repository.ts';
import { digestOf, getManifest, type Manifest, putManifest } from './manifests.ts';
import { nextPage } from './pages.ts';
import { jsonOf } from './tags.ts';

const LIMIT = 4 * 2 ** 20;
const RACES = 5;

export interface Referrers {
  readonly referrers: readonly Descriptor[];
  /** Whether the registry keeps them itself, or clients keep them in a tag (distribution-spec, "Unavailable Referrers API"). */
  readonly api: boolean;
}

/** The tag that holds the referrers of a manifest where the registry has no API for them. */
export function fallbackTag(digest: string): string {
  return digest.replace(':', '-');
}

/** What is attached to a manifest: signatures, SBOMs, provenance. */
export async function readReferrers(repository: Repository, digest: string): Promise<Referrers> {
  const step = `listing the referrers of ${digest}`;
  const found: Descriptor[] = [];
  let target: string | URL = `referrers/${digest}`;
  for (const seen = new Set<string>(); ; ) {
    const { response, bytes } = await repository.read(
      // 400, 405: registries older than the API, and proxies that do not know its path.
      { step, method: 'GET', target, headers: { accept: MEDIA_TYPE.index }, expect: [200, 400, 404, 405] },
      LIMIT,
    );
    const index = response.ok ? indexSchema.safeParse(jsonOf(bytes)).data : undefined;
    if (!index) break;
    found.push(...index.manifests);
    const next = nextPage(response, repository.url(target));
    if (next === undefined || !repository.owns(next) || seen.has(next.href)) return { referrers: found, api: true };
    seen.add(next.href);
    target = next;
  }
  const fallback = await getManifest(repository, fallbackTag(digest));
  return { referrers: fallback?.manifests ?? [], api: false };
}

/** The descriptor under which a manifest is listed among its subject's referrers. */
export function referrerDescriptor(manifest: Manifest): Descriptor {
  return {
    ...manifest.descriptor,
    ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: { ...manifest.annotations } }),
  };
}

/** Stores a manifest that has a subject, and lists it there where the registry does not. */
export function putReferrer(repository: Repository, manifest: Manifest, subject: string): Promise<void> {
  return putReferrers(repository, [manifest], subject);
}

/**
 * The same for several of one subject: they are listed at once, as each list that another takes the place of stays in the registry without
 * a tag, where nobody finds it.
 */
export async function putReferrers(
  repository: Repository,
  manifests: readonly Manifest[],
  subject: string,
): Promise<void> {
  let known = manifests.length > 0;
  for (const manifest of manifests) {
    const { subjectKnown } = await putManifest(repository, manifest.descriptor.digest, manifest);
    known &&= subjectKnown;
  }
  if (manifests.length === 0) return;
  // Some registries send OCI-Subject and have no API: the list is asked.
  if (known && (await readReferrers(repository, subject)).api) return;
  const own = manifests.map(referrerDescriptor);
  await changeFallback(repository, subject, (listed) => [
    ...listed,
    ...own.filter(({ digest }) => !listed.some((one) => one.digest === digest)),
  ]);
}

/** Takes a manifest off its subject's list, where clients keep that. */
export async function unlistReferrer(repository: Repository, digest: string, subject: string): Promise<void> {
  if ((await readReferrers(repository, subject)).api) return;
  await changeFallback(repository, subject, (listed) => listed.filter((d) => d.digest !== digest));
}

/**
 * Reads, changes and writes the fallback index. Registries have no compare-and-swap that all of them keep: If-Match is sent, or
 * If-None-Match for the first list, and the list is read again afterwards, since another client may have written between.
 */
async function changeFallback(
  repository: Repository,
  subject: string,
  change: (listed: readonly Descriptor[]) => readonly Descriptor[],
): Promise<void> {
  const tag = fallbackTag(subject);
  for (let race = 0; race < RACES; race++) {
    const current = await getManifest(repository, tag);
    const listed = current?.manifests ?? [];
    const changed = change(listed);
    if (changed.length === listed.length) return;
    const bytes = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: changed }),
    );
    const descriptor = { mediaType: MEDIA_TYPE.index, digest: digestOf(bytes), size: bytes.byteLength };
    if (current?.descriptor.digest === descriptor.digest) return;
    await putManifest(
      repository,
      tag,
      { bytes, descriptor },
      current ? { 'if-match': `"${current.descriptor.digest}"` } : { 'if-none-match': '*' },
    );
    // Comes round until a reading shows the change: a 412 or a lost race is then tried again.
  }
  const now = (await getManifest(repository, tag))?.manifests ?? [];
  if (change(now).length === now.length) return;
  throw repository.failure(
    'REGISTRY_FAILED',
    `listing a referrer in tag ${tag}`,
    'other clients kept writing it at the same time',
    {
      hint: 'Run it again.',
    },
  );
}
