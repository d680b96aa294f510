// A hub as a team has it: two clusters, a registry, and a ledger that tells of 40 days with a gap, written by the ledger's own code.
import { join } from 'node:path';
import { readProject } from '../src/contract/index.ts';
import {
  Hub,
  type HubServer,
  type ImageFacts,
  type Ledger,
  openLedger,
  PruneWatch,
  type ReleaseNote,
  type ServerRow,
  serveHub,
} from '../src/inventory/index.ts';
import { Clusters, planPrune, repositoryName } from '../src/prune/index.ts';
import { RegistryReader } from '../src/registry/index.ts';
import { deployment, FakeCluster, inlays, pod } from '../test/inventory/fake-cluster.ts';
import { factsOf, row } from '../test/inventory/rows.ts';
import { InventoryWorld } from '../test/inventory/world.ts';
import { ROOT } from './inlay.ts';

const DAY = 86_400_000;
export const TOKEN = 'a-token-of-some-length';
type Image = Awaited<ReturnType<InventoryWorld['image']>>;

export class DashboardWorld {
  readonly images = new Map<string, Image>();
  #running: Promise<void> | undefined;
  #servers: HubServer[] = [];

  private constructor(
    readonly world: InventoryWorld,
    readonly prod: FakeCluster,
    readonly staging: FakeCluster,
    readonly ledger: Ledger,
    readonly hub: Hub,
    private readonly abort: AbortController,
  ) {}

  /** @param services how many more services than those of the story */
  static async start(services = 40): Promise<DashboardWorld> {
    const world = await InventoryWorld.start();
    const [prod, staging] = [new FakeCluster('uid-prod'), new FakeCluster('uid-staging')];
    const ledger = await openLedger(`sqlite://${world.world.dir}/ledger.db`);
    const abort = new AbortController();
    const hub = new Hub({
      kubes: [prod.kube('prod-eu', abort.signal), staging.kube('staging', abort.signal)],
      catalogue: world.catalogue(),
      ledger,
      registryIntervalMs: 3_600_000,
      signal: abort.signal,
    });
    const made = new DashboardWorld(world, prod, staging, ledger, hub, abort);
    for (const [version, onnxruntime] of [
      ['0.0.1', '1.28.0'],
      ['0.0.2', '1.29.1'],
      ['0.0.3', '1.30.0'],
    ] as const)
      made.images.set(version, await world.inlayImage('iris', version, { onnxruntime, libc6: '2.36-9+deb12u10' }));
    made.images.set('churn', await world.inlayImage('churn', '3.1.0', { onnxruntime: '1.30.0' }));
    await made.#tellTheStory(Date.now());
    made.run('iris', made.imageOf('0.0.2'));
    made.run('iris-canary', made.imageOf('0.0.3'), { role: 'canary', service: 'iris', days: 0.1 });
    made.run('iris', made.imageOf('0.0.3'), { cluster: staging });
    made.run('churn', made.imageOf('churn'), { ready: false, owner: 'growth' });
    for (let i = 0; i < services; i++)
      made.run(`ranking-${i}`, made.imageOf('churn'), {
        cluster: i % 3 === 0 ? staging : prod,
        namespace: `team-${i % 5}`,
        owner: `team-${i % 5}`,
        days: 3 + ((i * 17) % 200),
      });
    const contracts = new Map([
      [made.imageOf('0.0.2').index, await contractOf('0.0.2', 0.94)],
      [made.imageOf('0.0.3').index, await contractOf('0.0.3', 0.961)],
    ]);
    const prune = made.#prune();
    const options = {
      hub,
      prune,
      reader: new RegistryReader(world.world.registry()),
      contractOf: async ({ digest }: ImageFacts) => {
        const contract = contracts.get(digest);
        if (!contract) throw new Error('the registry does not have it any more');
        return contract;
      },
      registryIntervalMs: 60_000,
      host: '127.0.0.1',
      port: 0,
    };
    made.#servers = [serveHub(options), serveHub({ ...options, token: TOKEN })];
    made.#running = hub.run();
    while (hub.rows.size < services + 4 || !hub.writes) await Bun.sleep(20);
    await prune.record();
    return made;
  }

  /** Plans for the repository of iris, of which one version of those that do not run may be kept. */
  #prune(): PruneWatch {
    const [repository = ''] = this.imageOf('0.0.1').name.split(/:[^/]*$/);
    const { signal } = this.abort;
    const policy = { keepLast: 1, graceMs: 0, keepTags: [] };
    return new PruneWatch({
      plan: async () => {
        const clusters = await Clusters.open({
          contexts: [this.prod.kube('prod-eu', signal), this.staging.kube('staging', signal)],
          named: true,
          others: async () => [],
          declared: new Set(['uid-prod', 'uid-staging']),
          keepLast: 1,
        });
        const declared = { policy, clusters: ['uid-prod', 'uid-staging'], declaredIn: 'fleet.yaml' };
        const plan = await planPrune({
          registry: this.world.world.registry(),
          targets: [{ repository: repositoryName(repository), ...declared }],
          clusters,
          locked: [],
          dir: join(this.world.world.dir, 'prune'),
          now: Date.now() + DAY,
          signal,
        });
        return plan.document;
      },
      ledger: this.ledger,
      writes: () => this.hub.writes,
      recordEveryMs: 3_600_000,
      freshMs: 3_600_000,
      signal,
    });
  }

  get url(): string {
    return `${this.#servers[0]?.url}/`;
  }

  /** Of the same hub, where it wants a token. */
  get guardedUrl(): string {
    return `${this.#servers[1]?.url}/`;
  }

  imageOf(version: string): Image {
    const image = this.images.get(version);
    if (!image) throw new Error(`no image ${version}`);
    return image;
  }

  /** A Deployment of inlay and its pod, or what it is changed to. */
  run(
    name: string,
    image: Image,
    more: {
      cluster?: FakeCluster;
      namespace?: string;
      role?: string;
      service?: string;
      ready?: boolean;
      owner?: string;
      days?: number;
    } = {},
  ): void {
    const {
      cluster = this.prod,
      namespace = 'ml',
      role = 'stable',
      service = name,
      ready = true,
      owner = 'flowers',
      days = 4,
    } = more;
    const labels = { ...inlays(service, role), owner };
    cluster.put('deployments', rolledOut(deployment(name, image.name, { namespace, labels }), days));
    cluster.put(
      'pods',
      pod(name, image.name, `${image.name.replace(/:[^:/]*$/, '')}@${image.index}`, { namespace, ready }),
    );
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.#running;
    for (const server of this.#servers) await server.stop();
    await this.ledger[Symbol.asyncDispose]();
    await Promise.all([this.prod.stop(), this.staging.stop()]);
    await this.world.stop();
  }

  async #tellTheStory(now: number): Promise<void> {
    const at = (days: number) => now - days * DAY;
    const ran = (
      version: string,
      note: Partial<ReleaseNote> & { number: number },
      more: Partial<ServerRow> = {},
    ): ServerRow => {
      const image = this.imageOf(version);
      return row({
        context: 'prod-eu',
        owner: 'flowers',
        since: null,
        model: { name: 'iris', version, digest: `sha256:${'a'.repeat(64)}` },
        image: { reference: image.name, digest: image.index, index: image.index },
        release: {
          actor: 'ada',
          kind: 'release',
          state: 'ended',
          verdict: 'pass',
          reason: 'bake passed',
          waitingSince: null,
          ...note,
        },
        ...more,
      });
    };
    const write = (rows: readonly ServerRow[], days: number, gone: string[] = [], whole = false) => ({
      at: at(days),
      rows,
      gone,
      whole,
      journals: [],
      images: rows.map((one) => ({ ...factsOf(one), repository: `${this.world.registry.host}/ml/iris` })),
    });
    const one = ran('0.0.1', { number: 1 });
    const first = await this.ledger.cluster('uid-prod', 'prod-eu');
    await first.write(write([one], 40, [], true));
    const canary = ran(
      '0.0.2',
      { number: 2, state: 'running', verdict: null, reason: null, actor: 'ci' },
      { role: 'canary', workload: { kind: 'Deployment', name: 'iris-canary' } },
    );
    await first.write(write([canary], 26));
    await first.write(write([], 25, ['ml/Deployment/iris-canary/canary']));
    await first.heard(at(20));
    const summary = {
      kind: 'release' as const,
      reference: this.imageOf('0.0.2').name,
      digest: this.imageOf('0.0.2').index,
      state: 'ended' as const,
      stableTo: null,
      weight: null,
      waitingSince: null,
    };
    const second = await this.ledger.cluster('uid-prod', 'prod-eu');
    const two = ran('0.0.2', { number: 3, actor: 'grace' });
    await second.write({
      ...write([{ ...two, since: new Date(at(17)).toISOString() }], 16, [], true),
      journals: [
        {
          namespace: 'ml',
          service: 'iris',
          stable: 3,
          going: undefined,
          releases: [
            {
              ...summary,
              number: 2,
              version: '0.0.2',
              actor: 'ci',
              startedAt: new Date(at(26)).toISOString(),
              stableFrom: null,
              endedAt: new Date(at(25)).toISOString(),
              outcome: 'backed-out',
              verdict: 'fail',
              reason: 'fail: latency_p99',
            },
            {
              ...summary,
              number: 3,
              version: '0.0.2',
              actor: 'grace',
              startedAt: new Date(at(18)).toISOString(),
              stableFrom: new Date(at(17)).toISOString(),
              endedAt: new Date(at(17)).toISOString(),
              outcome: 'released',
              verdict: 'pass',
              reason: 'bake passed',
            },
          ],
        },
      ],
    });
    await second.write(write([{ ...two, drift: [{ kind: 'tag-moved', message: 'the tag names another image' }] }], 6));
    await second.write(write([two], 4));
    await second.heard(now - 60_000);
  }
}

/** A Deployment that was rolled out so many days ago. */
function rolledOut(object: ReturnType<typeof deployment>, days: number): ReturnType<typeof deployment> {
  const lastUpdateTime = new Date(Date.now() - days * DAY).toISOString();
  const progressing = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', lastUpdateTime };
  return {
    ...object,
    metadata: { ...object.metadata, creationTimestamp: new Date(Date.now() - (days + 30) * DAY).toISOString() },
    status: { conditions: [progressing] },
  };
}

/** The contract of the iris example, as that of another version. */
async function contractOf(version: string, accuracy: number): Promise<unknown> {
  const { contract } = await readProject(join(ROOT, 'examples', 'iris'));
  return { ...contract, version, metrics: { ...contract.metrics, accuracy } };
}
