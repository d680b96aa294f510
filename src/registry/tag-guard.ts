import { getManifest, type Manifest } from './manifest/manifests.ts';
import type { Repository } from './repository.ts';

/**
 * What a tag names now; refuses when that is another image, because a version is never reused. The best that can be
 * done: registries have no compare-and-swap.
 * @throws TAG_EXISTS
 */
export async function guardTag(
  repository: Repository,
  tag: string,
  digest: string,
  force: boolean,
): Promise<Manifest | undefined> {
  const current = await getManifest(repository, tag);
  if (!current || current.descriptor.digest === digest || force) return current;
  throw repository.failure(
    'TAG_EXISTS',
    `setting tag ${tag}`,
    `the tag names ${current.descriptor.digest}, and this image is ${digest}`,
    { hint: 'A version is never reused: give the model a new version. --force overwrites the tag all the same.' },
  );
}
