// The same with the least of what controllers do: a Deployment has its pods at once. For faults between two requests alone.
import { FakeApi, type Stored } from './fake-api.ts';

const NAMESPACE = '/namespaces/ml';
const DEPLOYMENTS = `/apis/apps/v1${NAMESPACE}/deployments/`;
const PODS = `/api/v1${NAMESPACE}/pods/`;

export class FakeCluster extends FakeApi {
  /** Deployments that do not get ready, by name, and what they say of it. */
  readonly stuck = new Map<string, 'waits' | 'late'>();

  constructor() {
    super();
    this.objects.set('/api/v1/namespaces/ml', { metadata: { name: 'ml' } });
  }

  /** `Deployment/iris`, … without what is only the release's own: Lease and journal. */
  names(): string[] {
    return [...this.objects.keys()]
      .filter((path) => path.includes(`${NAMESPACE}/`) && !/\/(leases|configmaps|pods)\//.test(path))
      .map((path) => path.split('/').slice(-2).join('/'))
      .sort();
  }

  deployment(name: string): { image: string; replicas: number } | undefined {
    const found = this.objects.get(`${DEPLOYMENTS}${name}`) as unknown as
      | { spec: { replicas?: number; template: { spec: { containers: { image: string }[] } } } }
      | undefined;
    if (!found) return undefined;
    return { image: found.spec.template.spec.containers[0]?.image ?? '', replicas: found.spec.replicas ?? 1 };
  }

  /** Controllers look at it once more. */
  settle(name: string): void {
    const path = `${DEPLOYMENTS}${name}`;
    const object = this.objects.get(path);
    if (object) this.objects.set(path, this.settled(path, object));
  }

  /** As somebody deletes it by hand. */
  remove(name: string): void {
    this.gone(`${DEPLOYMENTS}${name}`);
    this.objects.delete(`${DEPLOYMENTS}${name}`);
  }

  protected override settled(path: string, object: Stored): Stored {
    if (!path.includes('/deployments/')) return object;
    const { name } = object.metadata;
    const { replicas = 1, template } = object.spec as { replicas?: number; template?: { metadata: object } };
    const stuck = this.stuck.get(name);
    const available = stuck ? 0 : replicas;
    this.gone(path);
    for (let i = 0; i < replicas; i++)
      this.objects.set(`${PODS}${name}-${i}`, {
        metadata: { ...template?.metadata, name: `${name}-${i}`, uid: `${name}-${i}` },
        spec: { containers: [] },
        status: { conditions: [{ type: 'Ready', status: stuck ? 'False' : 'True' }] },
      });
    const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
    return {
      ...object,
      status: {
        observedGeneration: 1,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: available,
        availableReplicas: available,
        conditions: stuck === 'late' ? [late] : [],
      },
    };
  }

  protected override gone(path: string): void {
    if (!path.includes('/deployments/')) return;
    const name = path.split('/').at(-1);
    for (const pod of this.objects.keys())
      if (pod.startsWith(`${PODS}${name}-`) && /^\d+$/.test(pod.slice(`${PODS}${name}-`.length)))
        this.objects.delete(pod);
  }
}
