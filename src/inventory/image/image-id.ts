import { type ImageReference, parseReference } from '../../registry/index.ts';

/** What a container runs, and where it may be looked up. */
export interface RunningImage {
  /** As the workload names it. */
  readonly reference: string;
  /** Where it was pulled from; undefined for a name that is none. */
  readonly place: ImageReference | undefined;
  /** Of an index, a manifest or a config, whichever the runtime keeps; undefined before the node has it. */
  readonly digest: string | undefined;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Reads a container's imageID. Runtimes differ: containerd gives `REPOSITORY@DIGEST` of what was pulled (an index or a manifest), and the
 * bare digest of the config where it has no such name; CRI-O either; Docker puts `docker-pullable://` or `docker://` before it.
 * @param image as the workload names it
 */
export function runningImage(image: string, imageID: string): RunningImage {
  const id = imageID.replace(/^docker(-pullable)?:\/\//, '');
  const at = id.indexOf('@');
  const digest = at === -1 ? id : id.slice(at + 1);
  const named = referenceOf(image);
  const pulled = at === -1 ? undefined : referenceOf(id);
  return {
    reference: image,
    place: pulled ? { ...pulled, ...tagOf(pulled, named) } : named,
    digest: DIGEST.test(digest) ? digest : named?.digest,
  };
}

/** What was pulled goes without its tag: the workload names it, unless that was another repository. */
function tagOf(pulled: ImageReference, named: ImageReference | undefined): { readonly tag?: string } {
  const same = named?.registry === pulled.registry && named.repository === pulled.repository;
  return same && named.tag !== undefined ? { tag: named.tag } : {};
}

function referenceOf(text: string): ImageReference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}
