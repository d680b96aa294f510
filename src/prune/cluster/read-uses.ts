import { type Kube, RESOURCES } from '../../cluster/index.ts';
import { runningImage } from '../../inventory/index.ts';
import { type ImageReference, parseReference } from '../../registry/index.ts';
import type { Use } from '../decide/world.ts';
import { HOLDERS, type ImageHolder } from './image-holders.ts';
import { journalOf, journalSchema, journalUses, type Proof, releaseProofs } from './journal-uses.ts';

/** What a cluster protects. */
export interface ClusterUses {
  readonly uses: readonly Use[];
  readonly proofs: readonly Proof[];
}

const PAGE = 500;
const JOURNAL_PAGE = 50;

/**
 * Every image that something in the cluster runs, could run, releases or could go back to. All of it, or an error: a part would be as good as
 * nothing.
 * @param keepLast how many releases of each service can be gone back to
 * @throws CLUSTER_…, JOURNAL_INVALID
 */
export async function readUses(kube: Kube, keepLast: number): Promise<ClusterUses> {
  const uses = new Uses();
  const proofs: Proof[] = [];
  // Journals first: a release writes there before it applies anything.
  const selector = { labels: 'app.kubernetes.io/managed-by=inlay' };
  for await (const { items } of kube.pages(journalSchema, RESOURCES.configMap, selector, JOURNAL_PAGE))
    for (const item of items) {
      const journal = journalOf(item);
      if (!journal) continue;
      const at = `${kube.context}: ${item.metadata.namespace}/${journal.service}`;
      for (const use of journalUses(journal, at, keepLast)) uses.add(use);
      proofs.push(...releaseProofs(journal));
    }
  for (const { resource, schema } of HOLDERS)
    for await (const { items } of kube.pages(schema, resource, {}, PAGE))
      for (const item of items) for (const use of usesOf(kube.context, item)) uses.add(use);
  return { uses: uses.all(), proofs };
}

/** Each thing that is protected once for whoever protects it: there are many more pods than workloads. */
class Uses {
  readonly #known = new Map<string, Use>();

  add(use: Use): void {
    const key = `${use.code} ${use.digest ?? ''} ${use.tag?.repository}:${use.tag?.tag} ${use.by}`;
    if (!this.#known.has(key)) this.#known.set(key, use);
  }

  all(): readonly Use[] {
    return [...this.#known.values()];
  }
}

function usesOf(context: string, { namespace, kind, name, runs, images, ids }: ImageHolder): Use[] {
  const common = { code: runs ? 'RUNS' : 'COULD_RUN', by: `${context}: ${namespace}/${kind}/${name}` } as const;
  const named = images.flatMap((image) => {
    const reference = referenceOf(image);
    if (!reference) return [];
    const { digest, repository, tag = 'latest' } = reference;
    // With a digest the tag says nothing: nodes do not look at it.
    return [{ ...common, ...(digest === undefined ? { tag: { repository, tag } } : { digest, path: repository }) }];
  });
  const running = ids.flatMap(({ image, imageID }) => {
    const { digest, place } = runningImage(image, imageID);
    return digest === undefined ? [] : [{ ...common, digest, path: place?.repository }];
  });
  return [...named, ...running];
}

/** What is no name of an image protects none. */
function referenceOf(image: string): ImageReference | undefined {
  try {
    return parseReference(image);
  } catch {
    return undefined;
  }
}
