import type { OciLayout } from '../image/index.ts';
import { graphInLayout } from './image-graph.ts';
import { parseReference } from './reference.ts';

/** For each blob, the repositories of a registry where it may lie, as far as the local store can tell. */
export type Siblings = ReadonlyMap<string, readonly string[]>;

/**
 * Where the blobs of an image may be mounted from: the repositories of the same registry whose images are in the store too.
 * Only a guess, the registry is asked: an image may have been built here and never pushed.
 */
export async function siblingsInLayout(
  layout: OciLayout,
  registry: string,
  except: string,
  wanted: ReadonlySet<string>,
): Promise<Siblings> {
  const siblings = new Map<string, string[]>();
  for (const { reference } of await layout.references()) {
    const sibling = siblingOf(reference, registry, except);
    if (sibling === undefined) continue;
    // An image with holes is no sibling, and no reason to fail.
    const graph = await graphInLayout(layout, reference).catch(() => undefined);
    for (const { digest } of graph?.blobs ?? []) {
      const known = siblings.get(digest) ?? [];
      if (wanted.has(digest) && !known.includes(sibling)) siblings.set(digest, [...known, sibling]);
    }
  }
  return siblings;
}

function siblingOf(reference: string, registry: string, except: string): string | undefined {
  try {
    const parsed = parseReference(reference);
    return parsed.registry === registry && parsed.registryNamed && parsed.repository !== except
      ? parsed.repository
      : undefined;
  } catch {
    return undefined;
  }
}
