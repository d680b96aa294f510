import type { ServicePlan } from '../service.ts';

/** How a pod ends and how long connections live, seconds. */
export interface Lifecycle {
  /** preStop: before SIGTERM, the pod serves on while every node takes it out of its routes. */
  readonly preStopS: number;
  /** DRAIN_S: after SIGTERM it serves on until no request has come for so long, and asks each client that keeps its connection to leave. */
  readonly drainS: number;
  /** MAX_DRAIN_S: how long that may last. */
  readonly maxDrainS: number;
  /** What may be under way then: a body still coming, its place in the queue, and its run. */
  readonly longestRequestS: number;
  /** terminationGracePeriodSeconds: more than all of these. */
  readonly graceS: number;
  /** MAX_CONNECTION_AGE_S */
  readonly connectionAgeS: number;
}

const PRE_STOP_S = 5;
/**
 * Routes to a pod that goes are late where the EndpointSlice controller is: after the API server was away it tries a Service again and
 * again, 1, 2, 4, 8, 16 s apart.
 */
const MAX_DRAIN_S = 60;
/** A run that takes longer has a client that gave up. */
const LONGEST_RUN_S = 10;
/** The server's own defaults (docs/server.md), which a test holds these to. */
const DEFAULTS = { DRAIN_S: 5, BODY_TIMEOUT_S: 30, MAX_QUEUE_MS: 1000 } as const;

export function lifecycleOf({ deploy }: Pick<ServicePlan, 'deploy'>): Lifecycle {
  const number = (name: keyof typeof DEFAULTS) => Number(deploy.env[name] ?? DEFAULTS[name]);
  const drainS = number('DRAIN_S');
  const maxDrainS = Math.max(drainS, Number(deploy.env.MAX_DRAIN_S ?? MAX_DRAIN_S));
  const longestRequestS = number('BODY_TIMEOUT_S') + number('MAX_QUEUE_MS') / 1000 + LONGEST_RUN_S;
  return {
    preStopS: PRE_STOP_S,
    drainS,
    maxDrainS,
    longestRequestS,
    graceS: Math.ceil(PRE_STOP_S + maxDrainS + longestRequestS),
    connectionAgeS: Number(deploy.env.MAX_CONNECTION_AGE_S ?? connectionAgeS(deploy.canary.intervalMs)),
  };
}

/** In each step every connection is balanced anew so many times. */
const CONNECTIONS_IN_A_STEP = 150;
const LEAST_AGE_S = 0.2;
const MOST_AGE_S = 30;

/**
 * kube-proxy balances connections, not requests: a client that keeps its connection keeps its pod. So that a canary's share of requests is
 * real within a step, connections are short beside it: of 8 clients that keep theirs the share is then within 5 points of the asked one in
 * 999 steps of 1000 (binomial: √(½·½ / 1200) = 1.4 points at most). A new connection costs the server some ten requests.
 */
function connectionAgeS(intervalMs: number): number {
  const seconds = intervalMs / 1000 / CONNECTIONS_IN_A_STEP;
  return Math.min(MOST_AGE_S, Math.max(LEAST_AGE_S, Math.round(10 * seconds) / 10));
}
