// What the tests of pruning share: a registry and clusters in memory, images in them, and a plan.
import { join } from 'node:path';
import type { Kube } from '../../src/cluster/index.ts';
import { MEDIA_TYPE } from '../../src/image/index.ts';
import {
  Clusters,
  type Policy,
  planPrune,
  type SweepOptions,
  sweep,
  type Target,
  type Use,
} from '../../src/prune/index.ts';
import { attachReferrer, parseReference, pushImage } from '../../src/registry/index.ts';
import { FakeCluster } from '../inventory/fake-cluster.ts';
import { FakeRegistry, type RegistryTraits } from '../registry/fake-registry.ts';
import { bytesOf, World } from '../registry/world.ts';

/** No grace: what the other rules do not keep goes. */
export const BARE: Policy = { keepLast: 1, graceMs: 0, keepTags: [] };

export class Pruning {
  readonly world = new World();
  readonly cluster = new FakeCluster('uid-1');
  readonly registry: FakeRegistry;
  policy: Policy = BARE;
  declared: readonly string[] | undefined = ['uid-1'];
  locked: readonly Use[] = [];
  now = Date.now();

  private constructor(registry: FakeRegistry) {
    this.registry = registry;
  }

  static async start(traits: RegistryTraits = {}): Promise<Pruning> {
    return new Pruning(await FakeRegistry.start(traits));
  }

  async stop(): Promise<void> {
    await this.registry.stop();
    await this.cluster.stop();
    await this.world.remove();
  }

  get dir(): string {
    return join(this.world.dir, 'prune');
  }

  name(repository = 'ml/iris'): string {
    return `${this.registry.host}/${repository}`;
  }

  /** Pushes an image of its own model. */
  async push(tag: string, repository = 'ml/iris', platforms: readonly string[] = ['amd64']) {
    const layout = await this.world.layout();
    const reference = `${this.name(repository)}:${tag}`;
    const image = await this.world.image(layout, reference, bytesOf(`${repository} ${tag}`, 1000), platforms);
    await pushImage({
      registry: this.world.registry(),
      layout,
      source: reference,
      to: parseReference(reference),
      force: true,
    });
    return image;
  }

  /** Attaches a document to a manifest. @returns its digest */
  async attach(subject: string, text = 'sbom', repository = 'ml/iris'): Promise<string> {
    const { digest } = await attachReferrer({
      registry: this.world.registry(),
      subject: parseReference(`${this.name(repository)}@${subject}`),
      artifactType: 'application/vnd.cyclonedx+json',
      layers: [{ mediaType: 'application/json', bytes: new TextEncoder().encode(JSON.stringify(text)) }],
    });
    return digest;
  }

  targets(...repositories: string[]): Target[] {
    const names = repositories.length === 0 ? ['ml/iris'] : repositories;
    return names.map((one) => ({
      repository: this.name(one),
      policy: this.policy,
      clusters: this.declared,
      declaredIn: this.declared && 'inlay.yaml',
    }));
  }

  clusters(kubes: readonly Kube[] = [this.cluster.kube('prod')], named = true): Promise<Clusters> {
    const declared = new Set(this.declared ?? []);
    return Clusters.open({ contexts: kubes, named, others: async () => [], declared, keepLast: this.policy.keepLast });
  }

  async plan(targets = this.targets(), clusters?: Clusters) {
    return planPrune({
      registry: this.world.registry(),
      targets,
      clusters: clusters ?? (await this.clusters()),
      locked: this.locked,
      dir: this.dir,
      now: this.now,
    });
  }

  /** Plans, lets something happen, and sweeps. */
  async prune(between: () => Promise<unknown> = async () => {}, more: Partial<SweepOptions> = {}) {
    const clusters = await this.clusters();
    const readAt = performance.now();
    const plan = await this.plan(undefined, clusters);
    await between();
    const swept = await sweep({
      plan,
      readAt,
      registry: this.world.registry(),
      clusters,
      locked: this.locked,
      dir: this.dir,
      actor: 'test',
      rate: 1e6,
      ...more,
    });
    return { plan, swept };
  }

  /** `0.0.1`: tags that are there now. */
  tags(repository = 'ml/iris'): string[] {
    return [...this.registry.repo(repository).tags.keys()].filter((tag) => !tag.startsWith('sha256-')).sort();
  }

  /** Whether all that a manifest leads to is there. */
  pulls(digest: string, repository = 'ml/iris'): boolean {
    const { manifests, blobs } = this.registry.repo(repository);
    const bytes = manifests.get(digest)?.bytes;
    if (!bytes) return false;
    const json = JSON.parse(bytes.toString()) as { manifests?: { digest: string }[]; layers?: { digest: string }[] };
    return (
      (json.manifests ?? []).every((one) => this.pulls(one.digest, repository)) &&
      (json.layers ?? []).every((one) => blobs.has(one.digest))
    );
  }
}

export const tagsOf = (images: readonly { readonly tags: readonly string[] }[]) =>
  images.flatMap(({ tags }) => tags).sort();

/** Bytes that no registry takes for a manifest. */
export const NO_MANIFEST = { bytes: Buffer.from('{"schemaVersion": 1}'), mediaType: MEDIA_TYPE.manifest };
