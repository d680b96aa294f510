import { whole } from './attachments.ts';
import { tagsByDigest } from './images.ts';
import type { MarkedRepository } from './mark.ts';
import type { ManifestFacts } from './world.ts';

/** One manifest that goes. */
export interface Step {
  readonly repository: string;
  readonly digest: string;
  /** All tags that name it. */
  readonly tags: readonly string[];
  /** The image that it goes with: its own digest for the image itself. */
  readonly image: string;
}

const NONE: readonly string[] = [];

/**
 * What goes, in order: an image before all below it and attached to it, an index before what it names. Whoever stops anywhere leaves no
 * index behind that names something gone.
 */
export function sweepOrder({ repository, images, attachments, kept }: MarkedRepository): readonly Step[] {
  const { manifests } = repository;
  const tags = tagsByDigest(repository);
  const dropped = images.filter(({ reasons }) => reasons.length === 0);
  const goes = whole(
    manifests,
    attachments,
    dropped.map(({ digest }) => digest),
  );
  for (const digest of kept) goes.delete(digest);
  // An index that goes holds back what it names.
  const parents = new Map<string, number>();
  for (const digest of goes)
    for (const child of childrenOf(manifests, digest)) parents.set(child, (parents.get(child) ?? 0) + 1);
  const steps: Step[] = [];
  const done = new Set<string>();
  const go = (digest: string, image: string) => {
    if (!goes.has(digest) || done.has(digest) || (parents.get(digest) ?? 0) > 0) return;
    done.add(digest);
    steps.push({ repository: repository.name, digest, tags: tags.get(digest) ?? NONE, image });
    for (const child of childrenOf(manifests, digest)) {
      parents.set(child, (parents.get(child) ?? 0) - 1);
      go(child, image);
    }
    for (const attached of attachments.get(digest) ?? NONE) go(attached, image);
  };
  for (const { digest } of dropped) go(digest, digest);
  // What a later index held back while its own image was gone through.
  if (done.size < goes.size)
    for (const { digest } of dropped) for (const one of whole(manifests, attachments, [digest])) go(one, digest);
  return steps;
}

/** Each once. */
function childrenOf(manifests: ReadonlyMap<string, ManifestFacts>, digest: string): Iterable<string> {
  const children = manifests.get(digest)?.children ?? NONE;
  return children.length < 2 ? children : new Set(children);
}
