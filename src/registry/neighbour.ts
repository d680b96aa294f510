import { isInlayError } from '../error/index.ts';
import { getManifest, type Manifest } from './manifest/manifests.ts';
import { readTags } from './manifest/tags.ts';
import type { Repository } from './repository.ts';

const MAX_CHILDREN = 8;

/**
 * The blobs of the last image in a repository. A registry refuses a manifest whose blobs it lacks, so what one of its manifests
 * names is there: two or three readings spare a question for each layer that the models of a repository share. Who relies on
 * it has to be ready for a registry that has lost them (MANIFEST_BLOB_UNKNOWN).
 */
export async function neighbourBlobs(
  repository: Repository,
  current: Manifest | undefined,
): Promise<ReadonlySet<string>> {
  try {
    return await readNeighbour(repository, current);
  } catch (error) {
    // It only spares requests: a login that may push and not list, or an older image that is damaged, is no reason to fail.
    if (isInlayError(error) && error.code !== 'INTERRUPTED' && error.code !== 'REGISTRY_UNREACHABLE') return new Set();
    throw error;
  }
}

async function readNeighbour(repository: Repository, current: Manifest | undefined): Promise<ReadonlySet<string>> {
  let root = current;
  if (!root) {
    const tag = lastVersion((await readTags(repository)) ?? []);
    root = tag === undefined ? undefined : await getManifest(repository, tag);
  }
  if (!root) return new Set();
  const children = await Promise.all(
    root.manifests.slice(0, MAX_CHILDREN).map(({ digest }) => getManifest(repository, digest)),
  );
  return new Set([root, ...children].flatMap((manifest) => manifest?.blobs ?? []).map(({ digest }) => digest));
}

/** The tag that most likely is the newest version; tags that hold referrers and signatures are none. */
export function lastVersion(tags: readonly string[]): string | undefined {
  return tags
    .filter((tag) => !/^sha256-[0-9a-f]{64}/.test(tag))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}
