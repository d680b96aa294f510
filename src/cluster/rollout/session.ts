import { withDefaults } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import {
  HeldLease,
  type Journal,
  JournalStore,
  type Release,
  type Request,
  type Step,
  withLast,
  withStep,
} from '../journal/index.ts';
import type { Kube } from '../kube/index.ts';
import { ROLES, type Role } from '../names.ts';
import { isReady, observeService, type Workload } from '../observe/index.ts';
import type { ServicePlan } from '../service.ts';
import type { OnEvent } from './events.ts';
import { MetricsPages } from './pages.ts';
import { decidedBy, StepCut, StepFailed } from './step-failed.ts';

export interface SessionOptions {
  readonly kube: Kube;
  readonly namespace: string;
  readonly service: string;
  /** Who acts, as history tells it: `ada@laptop`. */
  readonly actor: string;
  /** The same, unlike any other program that runs: the Lease's holder. */
  readonly holder: string;
  readonly onEvent?: OnEvent | undefined;
  /** Take over fields that other tools manage. */
  readonly forceConflicts?: boolean | undefined;
}

export type Workloads = Readonly<Record<Role, Workload>>;

type Waiting = string | undefined | ((workloads: Workloads) => string | undefined);

const TICK_MS = 1000;

/** One program's work on a service, under its Lease: the journal, and what it needs of the cluster. */
export class Session {
  readonly options: SessionOptions;
  readonly pages: MetricsPages;
  readonly #store: JournalStore;
  readonly #lease: HeldLease;
  #journal: Journal;

  private constructor(options: SessionOptions, store: JournalStore, lease: HeldLease, journal: Journal) {
    this.options = options;
    this.pages = new MetricsPages(options.kube, options.namespace);
    this.#store = store;
    this.#lease = lease;
    this.#journal = journal;
  }

  /** Takes the Lease, does the work and lets go of it, whatever happens. @throws RELEASE_BUSY, JOURNAL_INVALID */
  static async run<T>(options: SessionOptions, work: (session: Session) => Promise<T>): Promise<T> {
    const { kube, namespace, service, holder } = options;
    const lease = await HeldLease.take(kube, namespace, service, holder);
    const store = new JournalStore(kube, namespace, service);
    let session: Session | undefined;
    try {
      session = new Session(options, store, lease, await store.open());
      return await work(session);
    } finally {
      await session?.pages.close();
      await lease.release();
    }
  }

  get kube(): Kube {
    return this.options.kube;
  }

  get journal(): Journal {
    return this.#journal;
  }

  /** The release that goes on. */
  get release(): Release {
    const last = this.#journal.releases.at(-1);
    if (!last) throw new TypeError('the journal has no release');
    return last;
  }

  async save(journal: Journal): Promise<void> {
    await this.check();
    await this.#store.write(journal);
    this.#journal = journal;
  }

  async change(change: Partial<Release>): Promise<void> {
    await this.save(withLast(this.#journal, change));
  }

  /** Writes a step down, then tells of it. */
  async changeStep(index: number, change: Partial<Step>): Promise<void> {
    await this.save(withStep(this.#journal, index, change));
    const { steps } = this.release;
    const step = steps[index];
    if (step) this.tell({ kind: 'step', step, index, steps });
  }

  readonly tell: OnEvent = (event) => this.options.onEvent?.(event);

  /** @throws what ends the work: the Lease lost, Ctrl-C */
  async check(): Promise<void> {
    await this.#lease.check();
    if (this.kube.signal?.aborted)
      throw new InlayError(
        'INTERRUPTED',
        `stopped while working on ${this.options.namespace}/${this.options.service}`,
        {
          hint: 'Run the same command again to go on, or inlay abort to back out.',
        },
      );
  }

  /**
   * Waits for a moment, looks at the cluster and for wishes of others.
   * @param waiting what is waited for, for people, or what says it of the cluster as it is then
   * @throws StepFailed when somebody asked to abort, StepCut when somebody asked to promote
   */
  async tick(waiting: Waiting, heedRequests: boolean): Promise<Workloads> {
    await Bun.sleep(TICK_MS);
    return this.observe(waiting, heedRequests);
  }

  async observe(waiting: Waiting, heedRequests = false): Promise<Workloads> {
    await this.check();
    const { kube, namespace, service } = this.options;
    const [workloads] = await Promise.all([
      observeService(kube, namespace, service),
      heedRequests ? this.#heedRequest() : undefined,
    ]);
    const size = (role: Role) => ({
      ready: workloads[role].pods.filter(isReady).length,
      desired: workloads[role].deployment?.spec.replicas ?? 0,
    });
    this.tell({
      kind: 'observed',
      roles: { stable: size(ROLES[0] as Role), canary: size('canary') },
      waiting: typeof waiting === 'function' ? waiting(workloads) : waiting,
    });
    return workloads;
  }

  /** A release's plan, with the `deploy:` that it was released with. */
  planOf(release: Pick<Release, 'image' | 'deploy' | 'environment'>): ServicePlan {
    const { namespace, service } = this.options;
    return { service, namespace, image: release.image, deploy: withDefaults(release.deploy, release.environment) };
  }

  /**
   * What somebody asked for is written down by now: the wish is taken away, not before, or it would be lost with this program.
   * @param kind what was asked for; undefined where no wish makes sense any more
   */
  async heeded(kind?: Request['kind']): Promise<void> {
    const wish = await this.#store.wish();
    if (wish && (kind === undefined || wish.kind === kind)) await this.#store.request(undefined);
  }

  async #heedRequest(): Promise<void> {
    const request = await this.#store.wish();
    if (!request) return;
    // Past the canary's steps there is nothing to promote any more.
    const canary = this.release.steps.some(({ kind, status }) => kind === 'canary' && status === 'running');
    if (request.release !== this.release.number || (request.kind === 'promote' && !canary))
      return this.#store.request(undefined);
    const { by, reason } = request;
    if (request.kind === 'promote') throw new StepCut(decidedBy('promoted', by, reason));
    throw new StepFailed(decidedBy('aborted', by, reason), { outcome: 'aborted' });
  }
}
