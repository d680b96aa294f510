import type { Descriptor } from '../image/index.ts';
import { discard } from './http/answer-body.ts';
import { getManifest, hasManifest, requireManifest } from './manifest/manifests.ts';
import { readReferrers, unlistReferrer } from './manifest/referrers.ts';
import { readTags } from './manifest/tags.ts';
import { type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';

export interface RepositoryQuery {
  readonly registry: Registry;
  readonly reference: ImageReference;
  readonly signal?: AbortSignal | undefined;
}

/** All tags of a repository. @throws REGISTRY_NOT_FOUND */
export async function listTags({ registry, reference, signal }: RepositoryQuery): Promise<readonly string[]> {
  const repository = registry.open(reference, { actions: ['pull'], signal });
  const tags = await readTags(repository);
  if (tags) return tags;
  throw repository.failure('REGISTRY_NOT_FOUND', 'listing tags', 'the registry has no such repository', {
    hint: 'Look for a typing mistake; a registry may also hide what the login may not see.',
  });
}

/** What is attached to an image: descriptors with their `artifactType`. @throws REGISTRY_NOT_FOUND */
export async function listReferrers(
  query: RepositoryQuery & { readonly artifactType?: string },
): Promise<readonly Descriptor[]> {
  const { registry, reference, artifactType, signal } = query;
  const repository = registry.open(reference, { actions: ['pull'], signal });
  const digest = reference.digest ?? (await requireManifest(repository, identifierOf(reference))).descriptor.digest;
  const { referrers } = await readReferrers(repository, digest);
  // Registries need not filter, so it is done here.
  return referrers.filter((d) => artifactType === undefined || d.artifactType === artifactType);
}

/** The digest that a tag names now. @throws REGISTRY_NOT_FOUND */
export async function resolveDigest({ registry, reference, signal }: RepositoryQuery): Promise<string> {
  const repository = registry.open(reference, { actions: ['pull'], signal });
  return (await requireManifest(repository, identifierOf(reference))).descriptor.digest;
}

/**
 * Deletes a manifest by its digest, and with it *every* tag that names it. False when it was not there. A referrer is taken off its
 * subject's list, where clients keep that.
 * @throws REGISTRY_UNSUPPORTED where the registry does not delete
 */
export async function deleteManifest(query: RepositoryQuery & { readonly digest: string }): Promise<boolean> {
  const { registry, reference, digest, signal } = query;
  const repository = registry.open(reference, { actions: ['pull', 'push', 'delete'], signal });
  const manifest = await getManifest(repository, digest);
  if (!manifest) return false;
  const step = `deleting ${digest}`;
  const response = await repository.request({
    step,
    method: 'DELETE',
    target: `manifests/${digest}`,
    expect: [202, 200, 204, 400, 404, 405],
  });
  if (response.status === 400 || response.status === 405) {
    const answer = await repository.answer(response);
    throw repository.failure(
      'REGISTRY_UNSUPPORTED',
      step,
      `the registry answered ${answer.status} ${answer.text}`.trim(),
      {
        hint: `Deleting is switched off in ${repository.host}, or done by its own rules: ask who runs it (for Docker's registry: REGISTRY_STORAGE_DELETE_ENABLED=true).`,
      },
    );
  }
  await discard(response);
  if (manifest.subject && (await hasManifest(repository, manifest.subject.digest)))
    await unlistReferrer(repository, digest, manifest.subject.digest);
  return response.status !== 404;
}
