import type { ManifestFacts, RepositoryState } from './world.ts';

/** The tags under which clients keep what is attached: the list of referrers where there is no API, and those of cosign. */
const ATTACHMENT_TAG = /^sha256-([0-9a-f]{64})(\.(sig|att|sbom)|\.[a-z]+)?$/;

/** The digest that a tag's manifest is attached to; undefined for the tag of an image. */
export function subjectOfTag(tag: string): string | undefined {
  const hex = ATTACHMENT_TAG.exec(tag)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

/** By digest, the manifests that are attached to it, by their own word or by their tag. */
export function attachmentsOf({ tags, manifests }: RepositoryState): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const add = (subject: string, digest: string) => {
    if (subject === digest) return;
    const known = found.get(subject);
    if (known) known.add(digest);
    else found.set(subject, new Set([digest]));
  };
  for (const { digest, subject } of manifests.values()) if (subject !== undefined) add(subject, digest);
  for (const [tag, digest] of tags) {
    const subject = subjectOfTag(tag);
    if (subject !== undefined && manifests.has(digest)) add(subject, digest);
  }
  return found;
}

/** A manifest and all below it that is there, each once. */
export function below(manifests: ReadonlyMap<string, ManifestFacts>, root: string): readonly string[] {
  const facts = manifests.get(root);
  if (!facts) return [];
  const { children } = facts;
  if (children.length === 0) return [root];
  const [child] = children;
  // Most indexes name one manifest, and there may be very many of them.
  if (children.length === 1 && child !== undefined && (manifests.get(child)?.children.length ?? 0) === 0)
    return manifests.has(child) ? [root, child] : [root];
  const found = new Set<string>();
  const waiting = [root];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const here = manifests.get(one);
    if (!here || found.has(one)) continue;
    found.add(one);
    waiting.push(...here.children.toReversed());
  }
  return [...found];
}

/** Manifests with what is below them and attached to any of it, and so on. */
export function whole(
  manifests: ReadonlyMap<string, ManifestFacts>,
  attachments: ReadonlyMap<string, ReadonlySet<string>>,
  roots: Iterable<string>,
): Set<string> {
  const found = new Set<string>();
  const waiting = [...roots];
  for (let root = waiting.pop(); root !== undefined; root = waiting.pop()) {
    // With a manifest all below it was found.
    if (found.has(root)) continue;
    for (const digest of below(manifests, root)) {
      if (found.has(digest)) continue;
      found.add(digest);
      const attached = attachments.get(digest);
      if (attached) waiting.push(...attached);
    }
  }
  return found;
}
