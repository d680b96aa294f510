import { quantityBytes } from '../../contract/index.ts';
import { ROLE_LABEL, ROLES, type Role } from '../names.ts';
import { isReady, type Pod, restartsOf, type Workload } from '../observe/index.ts';
import { type Restart, type RoleWindow, WindowSoFar } from '../verdict/index.ts';
import type { MetricsPages } from './pages.ts';

type Workloads = Readonly<Record<Role, Workload>>;

/** What both roles do from a moment on: scrapes of all their pods, summed up whenever somebody asks. */
export class WatchedWindow {
  readonly #pages: MetricsPages;
  readonly #windows: Readonly<Record<Role, WindowSoFar>>;
  readonly #restartsBefore = new Map<string, number>();
  #pods: readonly Pod[] = [];

  private constructor(pages: MetricsPages, begin: Workloads) {
    this.#pages = pages;
    const of = (role: Role) => new WindowSoFar(begin[role].pods.map(({ metadata }) => metadata.name));
    this.#windows = { stable: of('stable'), canary: of('canary') };
  }

  /** Begins with the pods that are there. */
  static async begin(pages: MetricsPages, workloads: Workloads): Promise<WatchedWindow> {
    const window = new WatchedWindow(pages, workloads);
    for (const role of ROLES)
      for (const pod of workloads[role].pods) window.#restartsBefore.set(pod.metadata.uid, restartsOf(pod));
    await window.scrape(workloads);
    return window;
  }

  /** Reads all pods that take requests once more; one that restarts or is on its way out is read when it answers. */
  async scrape(workloads: Workloads): Promise<void> {
    this.#pods = ROLES.flatMap((role) => workloads[role].pods);
    await Promise.all(
      ROLES.map(async (role) => {
        this.#windows[role].add(await this.#pages.scrape(workloads[role].pods.filter(isReady)));
      }),
    );
  }

  /** @param memoryLimit of the role's container, a Kubernetes quantity */
  of(role: Role, memoryLimit: string | undefined): RoleWindow {
    return this.#windows[role].now({
      restarts: this.#restarts(role),
      ...(memoryLimit === undefined ? {} : { memoryLimitBytes: quantityBytes(memoryLimit) }),
    });
  }

  #restarts(role: Role): Restart[] {
    return this.#pods.flatMap((pod) => {
      if (pod.metadata.labels[ROLE_LABEL] !== role) return [];
      const before = this.#restartsBefore.get(pod.metadata.uid) ?? 0;
      if (restartsOf(pod) <= before) return [];
      const ended = pod.status.containerStatuses.find(({ restartCount }) => restartCount > 0);
      const last = ended?.lastState.terminated ?? ended?.state.terminated;
      return [{ pod: pod.metadata.name, ...(last ? { reason: last.reason || 'Error', exitCode: last.exitCode } : {}) }];
    });
  }
}
