import type { V1Probe } from '@kubernetes/client-node';
import type { ReleaseContract } from '../service.ts';

/** Slowest pace at which a model is read, checked and loaded, and its golden cases replayed: bytes a second. */
const LOADING_PACE = 10e6;
/** What any server may take, on a node with little CPU to spare. */
const LEAST_START_S = 60;

/** How long a pod may take from its start until it can answer, seconds. */
export function startBudgetS({ model }: ReleaseContract): number {
  const bytes = (model.externalData ?? []).reduce((sum, file) => sum + file.sizeBytes, model.sizeBytes);
  return LEAST_START_S + Math.ceil(bytes / LOADING_PACE);
}

/**
 * Startup covers loading and the replay of the golden cases; until it succeeds the others are not asked. Readiness says that a
 * pod may get requests, liveness that its event loops and its model run (the server's LIVENESS_TIMEOUT_S, 4 s): three failures in
 * a row, 3 s apart, with a second for what hung to end, restart a hung server 15 s after it hung at most.
 */
export function probesOf(
  contract: ReleaseContract,
): Record<'startupProbe' | 'readinessProbe' | 'livenessProbe', V1Probe> {
  const get = (path: string) => ({ httpGet: { path, port: 'http', scheme: 'HTTP' }, successThreshold: 1 });
  const budgetS = startBudgetS(contract);
  // A pod that starts quickly is found at once; one that takes minutes does not fill the events with failures.
  const periodSeconds = Math.min(10, Math.ceil(budgetS / 120));
  return {
    startupProbe: {
      ...get('/health/startup'),
      periodSeconds,
      timeoutSeconds: 2,
      failureThreshold: Math.ceil(budgetS / periodSeconds),
    },
    readinessProbe: { ...get('/health/ready'), periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 3 },
    livenessProbe: {
      ...get('/health/live'),
      periodSeconds: 3,
      timeoutSeconds: 2,
      failureThreshold: 3,
      // The pod's own grace period is for a drain, which a hung server does not begin.
      terminationGracePeriodSeconds: 1,
    },
  };
}
