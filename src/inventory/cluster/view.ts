import { ROLE_LABEL } from '../../cluster/index.ts';
import type { SeenJournal } from './releases.ts';
import type { SeenPod, SeenWorkload } from './seen.ts';

/** A workload with its pods and, for one of inlay's, the journal of its service. */
export interface SeenServer {
  readonly workload: SeenWorkload;
  readonly pods: readonly SeenPod[];
  readonly journal: SeenJournal | undefined;
}

/** Pods of these have an end, so they are no servers. */
const BATCH = new Set(['Job', 'CronJob', 'Workflow', 'TaskRun', 'PipelineRun']);

/**
 * What one cluster runs, kept up to date object by object. A workload is known by `NAMESPACE/KIND/NAME`; whatever changes one is told
 * to `touched`.
 */
export class ClusterView {
  readonly #workloads = new Map<string, SeenWorkload>();
  /** Pods by the key of their workload, then by name. */
  readonly #pods = new Map<string, Map<string, SeenPod>>();
  readonly #journals = new Map<string, SeenJournal>();
  readonly #strings = new Map<string, string>();
  readonly #touched: (key: string) => void;

  constructor(touched: (key: string) => void = () => {}) {
    this.#touched = touched;
  }

  putWorkload(workload: SeenWorkload): void {
    const key = keyOf(workload.namespace, workload.kind, workload.name);
    this.#workloads.set(key, workload);
    this.#touched(key);
  }

  removeWorkload({ namespace, kind, name }: Pick<SeenWorkload, 'namespace' | 'kind' | 'name'>): void {
    const key = keyOf(namespace, kind, name);
    if (this.#workloads.delete(key)) this.#touched(key);
  }

  putPod(pod: SeenPod): void {
    const key = podOwner(pod);
    if (key === undefined) return;
    const pods = this.#pods.get(key) ?? new Map<string, SeenPod>();
    this.#pods.set(key, pods);
    pods.set(pod.name, this.#lean(pod));
    this.#touched(key);
  }

  removePod(pod: SeenPod): void {
    const key = podOwner(pod);
    const pods = key === undefined ? undefined : this.#pods.get(key);
    if (key === undefined || !pods?.delete(pod.name)) return;
    if (pods.size === 0) this.#pods.delete(key);
    this.#touched(key);
  }

  putJournal(journal: SeenJournal): void {
    this.#journals.set(`${journal.namespace}/${journal.service}`, journal);
    for (const key of serviceKeys(journal)) this.#touched(key);
  }

  removeJournal(journal: Pick<SeenJournal, 'namespace' | 'service'>): void {
    this.#journals.delete(`${journal.namespace}/${journal.service}`);
    for (const key of serviceKeys(journal)) this.#touched(key);
  }

  /** @returns undefined where nothing of that key is there, or runs */
  get(key: string): SeenServer | undefined {
    const pods = [...(this.#pods.get(key)?.values() ?? [])];
    const workload = this.#workloads.get(key) ?? loneWorkload(pods);
    if (!workload || (workload.desired === 0 && pods.length === 0)) return undefined;
    const service = workload.labels['app.kubernetes.io/name'] ?? workload.name;
    const journal =
      workload.labels[ROLE_LABEL] === undefined ? undefined : this.#journals.get(`${workload.namespace}/${service}`);
    return { workload, pods, journal };
  }

  keys(): Set<string> {
    return new Set([...this.#workloads.keys(), ...this.#pods.keys()]);
  }

  journals(): IterableIterator<SeenJournal> {
    return this.#journals.values();
  }

  /** Pods of one image say the same long strings. */
  #lean(pod: SeenPod): SeenPod {
    return {
      ...pod,
      namespace: this.#same(pod.namespace),
      containers: pod.containers.map(({ name, image, imageID }) => ({
        name: this.#same(name),
        image: this.#same(image),
        imageID: this.#same(imageID),
      })),
    };
  }

  #same(text: string): string {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    // Old ones are let go of now and then, or years of releases would stay.
    if (this.#strings.size > 200_000) this.#strings.clear();
    this.#strings.set(text, text);
    return text;
  }
}

export function keyOf(namespace: string, kind: string, name: string): string {
  return `${namespace}/${kind}/${name}`;
}

function podOwner({ namespace, name, owner }: SeenPod): string | undefined {
  if (owner && BATCH.has(owner.kind)) return undefined;
  return owner ? keyOf(namespace, owner.kind, owner.name) : keyOf(namespace, 'Pod', name);
}

/** A service's own workloads, as inlay calls them. */
function serviceKeys({ namespace, service }: Pick<SeenJournal, 'namespace' | 'service'>): string[] {
  return [keyOf(namespace, 'Deployment', service), keyOf(namespace, 'Deployment', `${service}-canary`)];
}

/**
 * What pods that no known workload owns would belong to: whatever does own them, or the pod itself. Pods that end do not run any more;
 * a Deployment that is not there has been deleted, or is about to be seen, as Deployments can be read wherever pods can.
 */
function loneWorkload(all: readonly SeenPod[]): SeenWorkload | undefined {
  const pods = all.filter(({ ending }) => !ending);
  const [first] = pods;
  const container = first?.containers[0];
  if (!first || !container || first.owner?.kind === 'Deployment') return undefined;
  return {
    kind: first.owner?.kind ?? 'Pod',
    namespace: first.namespace,
    name: first.owner?.name ?? first.name,
    createdAt: pods
      .map(({ createdAt }) => createdAt)
      .filter((time) => time !== undefined)
      .sort()[0],
    labels: first.labels,
    applied: undefined,
    owner: undefined,
    promised: undefined,
    container: container.name,
    image: container.image,
    desired: pods.length,
    rolledOut: undefined,
    current: true,
    hints: first.hints,
  };
}
