import type { Kube } from '../../cluster/index.ts';
import { isInlayError } from '../../error/index.ts';
import { clusterIdentity } from '../cluster/identity.ts';
import { readCluster } from '../cluster/read.ts';
import type { SeenJournal } from '../cluster/releases.ts';
import { ClusterView } from '../cluster/view.ts';
import type { Catalogue } from '../image/catalogue.ts';
import type { Inventory, ServerRow, Warning } from '../row.ts';
import { resolveServer } from './resolve.ts';

export interface ScanOptions {
  /** One for each context, in the order in which names are given to clusters. */
  readonly kubes: readonly Kube[];
  /** Undefined for all. */
  readonly namespace?: string | undefined;
  readonly catalogue: Catalogue;
  readonly all?: boolean | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** A cluster as it was scanned, for a ledger. */
export interface ScannedCluster {
  readonly uid: string;
  readonly context: string;
  readonly rows: readonly ServerRow[];
  readonly journals: readonly SeenJournal[];
}

export interface Scan extends Inventory {
  readonly clusters: readonly ScannedCluster[];
}

/**
 * What runs in every given context, one row a server. Contexts that lead to one cluster count once. A context or registry that cannot be
 * read gives a warning and rows with unknown parts.
 * @throws INTERRUPTED; whatever the first context threw where none could be read
 */
export async function scan(options: ScanOptions): Promise<Scan> {
  const { kubes, namespace, catalogue, all = false, onProgress } = options;
  const warnings: Warning[] = [];
  const failures: unknown[] = [];
  const observedAt = new Date().toISOString();
  const contexts = new Map<string, string>();
  const clusters = await Promise.all(
    (await identities(kubes, contexts, warnings, failures)).map(async ({ kube, uid }) => {
      try {
        const view = new ClusterView();
        warnings.push(...(await readCluster(kube, view, namespace)));
        const keys = [...view.keys()];
        onProgress?.(`${kube.context}: ${keys.length} workloads`);
        const rows = await resolveAll(view, keys, { context: kube.context, catalogue, all });
        return { uid, context: kube.context, rows, journals: [...view.journals()] };
      } catch (error) {
        failed(kube, error, warnings, failures);
        return undefined;
      }
    }),
  );
  const read = clusters.filter((cluster) => cluster !== undefined);
  if (read.length === 0 && failures.length > 0) throw failures[0];
  const servers = read.flatMap(({ rows }) => rows).sort(byPlace);
  return { schemaVersion: 1, observedAt, servers, warnings: [...warnings, ...catalogue.warnings], clusters: read };
}

async function identities(
  kubes: readonly Kube[],
  contexts: Map<string, string>,
  warnings: Warning[],
  failures: unknown[],
): Promise<{ readonly kube: Kube; readonly uid: string }[]> {
  const known = await Promise.all(
    kubes.map(async (kube) => {
      try {
        return { kube, uid: await clusterIdentity(kube) };
      } catch (error) {
        failed(kube, error, warnings, failures);
        return undefined;
      }
    }),
  );
  return known.filter((one) => {
    if (one === undefined) return false;
    const first = contexts.get(one.uid);
    if (first !== undefined) {
      warnings.push({
        about: one.kube.context,
        code: 'SAME_CLUSTER',
        message: `${one.kube.context} is the cluster that ${first} is; it counts once, as ${first}`,
      });
      return false;
    }
    contexts.set(one.uid, one.kube.context);
    return true;
  }) as { kube: Kube; uid: string }[];
}

function failed(kube: Kube, error: unknown, warnings: Warning[], failures: unknown[]): void {
  if (!isInlayError(error) || error.code === 'INTERRUPTED') throw error;
  failures.push(error);
  warnings.push({ about: kube.context, code: error.code, message: error.message, hint: error.hint });
}

/** Servers resolved at once; the catalogue limits what goes over the wire. */
const AT_ONCE = 256;

async function resolveAll(
  view: ClusterView,
  keys: readonly string[],
  options: Parameters<typeof resolveServer>[1],
): Promise<ServerRow[]> {
  const rows: ServerRow[] = [];
  let next = 0;
  const worker = async () => {
    for (let key = keys[next++]; key !== undefined; key = keys[next++]) {
      const server = view.get(key);
      const row = server && (await resolveServer(server, options));
      if (row) rows.push(row);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, keys.length) }, worker));
  return rows;
}

/** By context, namespace, service; stable before canary. */
export function byPlace(a: ServerRow, b: ServerRow): number {
  const key = (row: ServerRow) =>
    `${row.context}\0${row.namespace}\0${row.service}\0${row.role === 'canary' ? 1 : 0}\0${row.workload.name}`;
  const [one, two] = [key(a), key(b)];
  return one < two ? -1 : one > two ? 1 : 0;
}
