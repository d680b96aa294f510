import type { Deploy } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import type { Kube } from '../kube/index.ts';
import type { Role } from '../names.ts';
import { IMAGE_ANNOTATION } from '../names.ts';
import { type Deployment, observeService, type Workload } from '../observe/index.ts';
import { achievedShare, failsAlready, judge, type Verdict } from '../verdict/index.ts';
import type { OnEvent } from './events.ts';
import { MetricsPages } from './pages.ts';
import { serviceNotFound } from './service-not-found.ts';
import type { Workloads } from './session.ts';
import { StepFailed } from './step-failed.ts';
import { waitReady } from './wait-ready.ts';
import { WatchedWindow } from './watched-window.ts';

export interface JudgeOptions {
  readonly kube: Kube;
  readonly namespace: string;
  readonly service: string;
  readonly limits: Deploy['canary']['limits'];
  readonly intervalMs: number;
  readonly onEvent?: OnEvent | undefined;
}

export interface JudgedNow {
  readonly verdict: Verdict;
  /** The canary's share of the requests, 0 to 1. */
  readonly achieved: number | undefined;
}

/**
 * Watches the canary that runs beside stable for a while and judges it; changes nothing. For whoever releases in another way: a
 * hook of a GitOps tool, a pipeline.
 * @throws SERVICE_NOT_FOUND, NOTHING_TO_DO where there is no canary, RELEASE_FAILED where it does not get ready
 */
export async function judgeNow(options: JudgeOptions): Promise<JudgedNow> {
  const { kube, namespace, service, limits, intervalMs } = options;
  const pages = new MetricsPages(kube, namespace);
  try {
    const first = await observeService(kube, namespace, service);
    if (!first.stable.deployment) throw await serviceNotFound(kube, namespace, service);
    if (!first.canary.deployment)
      throw new InlayError('NOTHING_TO_DO', `${service} has no canary to judge`, {
        hint: 'inlay status tells what runs.',
      });
    const window = await WatchedWindow.begin(pages, await canaryReady(options, first.canary.deployment));
    const roles = (now: Readonly<Record<Role, Workload>>) => ({
      stable: window.of('stable', memoryLimitOf(now.stable)),
      canary: window.of('canary', memoryLimitOf(now.canary)),
    });
    const begun = performance.now();
    for (;;) {
      await Bun.sleep(Math.min(10_000, Math.max(1000, intervalMs / 12)));
      if (kube.signal?.aborted) throw stopped();
      const now = await observeService(kube, namespace, service);
      await window.scrape(now);
      const seen = roles(now);
      const early = failsAlready({ ...seen, limits });
      const verdict = early ?? judge({ ...seen, limits });
      const achieved = achievedShare(seen);
      const elapsedMs = Math.min(intervalMs, performance.now() - begun);
      options.onEvent?.({ kind: 'window', verdict, elapsedMs, intervalMs, achieved });
      if (early || elapsedMs >= intervalMs) return { verdict, achieved };
    }
  } finally {
    await pages.close();
  }
}

/** The canary is judged when it is ready, as in a release: before, that it says nothing would mean nothing. */
async function canaryReady({ kube, namespace, service }: JudgeOptions, canary: Deployment): Promise<Workloads> {
  const observe = () => {
    if (kube.signal?.aborted) throw stopped();
    return observeService(kube, namespace, service);
  };
  const place = {
    ...{ kube, options: { namespace }, observe },
    tick: async () => {
      await Bun.sleep(1000);
      return observe();
    },
  };
  try {
    return await waitReady(place, 'canary', { reference: canary.metadata.annotations[IMAGE_ANNOTATION] ?? '' }, false);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    throw new InlayError('RELEASE_FAILED', `the canary of ${service} is not ready: ${error.message}`, {
      hint: error.hint,
    });
  }
}

function stopped(): InlayError {
  return new InlayError('INTERRUPTED', 'stopped while judging the canary', { hint: 'Run it again.' });
}

function memoryLimitOf({ pods }: Workload): string | undefined {
  return pods[0]?.spec.containers[0]?.resources.limits.memory;
}
