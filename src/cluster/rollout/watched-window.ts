import { quantityBytes } from '../../contract/index.ts';
import { ROLE_LABEL, ROLES, type Role } from '../names.ts';
import { isReady, type Pod, restartsOf, type Workload } from '../observe/index.ts';
import { type Restart, type RoleWindow, type Scrape, windowOf } from '../verdict/index.ts';
import type { MetricsPages } from './pages.ts';

type Workloads = Readonly<Record<Role, Workload>>;

/** What both roles do from a moment on: scrapes of all their pods, summed up whenever somebody asks. */
export class WatchedWindow {
  readonly #pages: MetricsPages;
  readonly #rounds: Readonly<Record<Role, Scrape[][]>> = { stable: [], canary: [] };
  readonly #restartsBefore = new Map<string, number>();
  readonly #there: Record<Role, readonly string[]> = { stable: [], canary: [] };
  #pods: readonly Pod[] = [];

  private constructor(pages: MetricsPages) {
    this.#pages = pages;
  }

  /** Begins with the pods that are there. */
  static async begin(pages: MetricsPages, workloads: Workloads): Promise<WatchedWindow> {
    const window = new WatchedWindow(pages);
    for (const role of ROLES) {
      for (const pod of workloads[role].pods) window.#restartsBefore.set(pod.metadata.uid, restartsOf(pod));
      window.#there[role] = workloads[role].pods.map(({ metadata }) => metadata.name);
    }
    await window.scrape(workloads);
    return window;
  }

  /** Reads all pods that take requests once more; one that restarts or is on its way out is read when it answers. */
  async scrape(workloads: Workloads): Promise<void> {
    this.#pods = ROLES.flatMap((role) => workloads[role].pods);
    await Promise.all(
      ROLES.map(async (role) => {
        this.#rounds[role].push(await this.#pages.scrape(workloads[role].pods.filter(isReady)));
      }),
    );
  }

  /** @param memoryLimit of the role's container, a Kubernetes quantity */
  of(role: Role, memoryLimit: string | undefined): RoleWindow {
    const [before = [], ...rounds] = this.#rounds[role];
    const after = rounds.pop() ?? before;
    return windowOf(before, after, {
      between: rounds,
      there: this.#there[role],
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
