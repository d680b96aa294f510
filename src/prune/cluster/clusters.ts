import type { Kube } from '../../cluster/index.ts';
import { isInlayError } from '../../error/index.ts';
import { clusterIdentity } from '../../inventory/index.ts';
import type { Use } from '../decide/world.ts';
import { type Gap, gapOf } from '../gap.ts';
import type { Proof } from './journal-uses.ts';
import { readUses } from './read-uses.ts';

/** A cluster that is asked. */
export interface KnownCluster {
  readonly context: string;
  /** Of its namespace kube-system; its address where that cannot be read. */
  readonly uid: string;
}

/** What all clusters protect, as they were read. */
export interface Protection {
  readonly uses: readonly Use[];
  readonly proofs: readonly Proof[];
  readonly clusters: readonly KnownCluster[];
  readonly gaps: readonly Gap[];
}

export interface ClustersOptions {
  readonly contexts: readonly Kube[];
  /** Whether somebody named them, or they are the kubeconfig's own. */
  readonly named: boolean;
  readonly others: () => Promise<readonly Kube[]>;
  /** UIDs. */
  readonly declared: ReadonlySet<string>;
  /** Releases of each service that can be gone back to. */
  readonly keepLast: number;
}

/** What was read is believed for so many times as long as the reading took, and never longer than that, ms: a large cluster cannot be read for each image. */
const FRESH = { times: 5, mostMs: 30_000 };

const ROLE = 'inlay manifests --roles prune prints the ClusterRole that prune needs.';

/** The clusters that are asked what they need; contexts of one cluster count once. */
export class Clusters {
  readonly #kubes: readonly { readonly kube: Kube; readonly uid: string }[];
  readonly #gaps: readonly Gap[];
  readonly #keepLast: number;
  #last: { readonly at: number; readonly tookMs: number; readonly protection: Protection } | undefined;

  private constructor(
    kubes: readonly { readonly kube: Kube; readonly uid: string }[],
    gaps: readonly Gap[],
    keepLast: number,
  ) {
    this.#kubes = kubes;
    this.#gaps = gaps;
    this.#keepLast = keepLast;
  }

  /**
   * Declared clusters have to answer, and so do contexts that somebody named. The kubeconfig's own context is asked too; the others only
   * where a declared cluster has not been found yet.
   */
  static async open({ contexts, named, others, declared, keepLast }: ClustersOptions): Promise<Clusters> {
    const found = new Map<string, Kube>();
    const gaps: Gap[] = [];
    const asked = new Set<string>();
    const silent: Gap[] = [];
    const ask = async (kube: Kube, how: 'required' | 'welcome' | 'if declared') => {
      asked.add(kube.context);
      try {
        const uid = await clusterIdentity(kube);
        if ((how !== 'if declared' || declared.has(uid)) && !found.has(uid)) found.set(uid, kube);
      } catch (error) {
        if (isInlayError(error) && error.code === 'INTERRUPTED') throw error;
        (how === 'required' ? gaps : silent).push(gapOf(kube.context, error));
      }
    };
    const how = named || declared.size === 0 ? 'required' : 'welcome';
    await Promise.all(contexts.map((kube) => ask(kube, how)));
    const missing = () => [...declared].filter((uid) => !found.has(uid));
    if (missing().length > 0) {
      const more = (await others()).filter(({ context }) => !asked.has(context));
      await Promise.all(more.map((kube) => ask(kube, 'if declared')));
    }
    // Who may not read that namespace is known by its address.
    const nameless = [...found].filter(([uid, kube]) => uid === kube.connection.server.href);
    const blind = nameless.map(([, kube]) => kube.context);
    for (const uid of missing())
      gaps.push({
        about: `cluster ${uid}`,
        code: 'CLUSTER_NOT_FOUND',
        message:
          'no context of the kubeconfig leads to this cluster, which is declared to run images of the repository',
        hint: whereToLook({ asked, silent, blind }),
      });
    return new Clusters(
      [...found].map(([uid, kube]) => ({ kube, uid })),
      gaps,
      keepLast,
    );
  }

  /** What they protect, read now, or a moment ago. */
  async protection(): Promise<Protection> {
    const last = this.#last;
    if (last && performance.now() - last.at < Math.min(FRESH.times * last.tookMs, FRESH.mostMs)) return last.protection;
    return this.read();
  }

  /** What they protect, read now. */
  async read(): Promise<Protection> {
    const began = performance.now();
    const gaps: Gap[] = [...this.#gaps];
    const read = await Promise.all(
      this.#kubes.map(async ({ kube }) => {
        try {
          return await readUses(kube, this.#keepLast);
        } catch (error) {
          if (isInlayError(error) && error.code === 'INTERRUPTED') throw error;
          const gap = gapOf(kube.context, error);
          gaps.push(gap.code === 'CLUSTER_FORBIDDEN' ? { ...gap, hint: `Let its login do so: ${ROLE}` } : gap);
          return { uses: [], proofs: [] };
        }
      }),
    );
    const protection: Protection = {
      uses: read.flatMap(({ uses }) => uses),
      proofs: read.flatMap(({ proofs }) => proofs),
      clusters: this.#kubes.map(({ kube, uid }) => ({ context: kube.context, uid })),
      gaps,
    };
    // Believed from when the reading began: what changed meanwhile may not be in it.
    this.#last = { at: began, tookMs: performance.now() - began, protection };
    return protection;
  }
}

/** What may be why a declared cluster was not found. */
function whereToLook(found: {
  readonly asked: ReadonlySet<string>;
  /** Contexts that gave no answer. */
  readonly silent: readonly Gap[];
  /** Those that did not say which cluster they lead to. */
  readonly blind: readonly string[];
}): string {
  const { asked, silent, blind } = found;
  if (asked.size === 0) return 'No kubeconfig was found here, or it has no context: name one with KUBECONFIG.';
  const away = silent.map(
    ({ about, message }) => `It may be ${about}, which could not be asked: ${message.replace(/[.?!]*$/, '')}.`,
  );
  const dark = blind.map((context) => `It may be ${context}, where this login may not read kube-system: ${ROLE}`);
  const last = 'Name its context with --context, or take it out of prune.clusters where it is gone for good.';
  return [...away, ...dark, last].join(' ');
}
