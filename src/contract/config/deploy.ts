import { InlayError } from '../../error/index.ts';
import type { Config } from './schema.ts';

/** `deploy:` with every default filled in, for one environment. */
export interface Deploy {
  /** Undefined: the namespace of the kubeconfig's context. */
  readonly namespace: string | undefined;
  readonly replicas: { readonly initial: number; readonly min: number; readonly max: number };
  /** Percent of the CPU request. */
  readonly targetCpu: number;
  readonly canary: {
    /** Percent of requests, rising. */
    readonly steps: readonly number[];
    readonly intervalMs: number;
    readonly limits: {
      /** How much higher the canary's share of failed requests may be than stable's, 0 to 1. */
      readonly errorRate: number;
      /** How many times stable's p99 the canary's may be. */
      readonly p99Ratio: number;
      /** Total variation between the label distributions, 0 to 1. */
      readonly labelShift: number;
      /** Share of the memory limit that a canary pod may use, 0 to 1. */
      readonly memory: number;
    };
    readonly onInconclusive: 'pause' | 'fail' | 'pass';
    /** How long the new stable is watched after the promotion. */
    readonly bakeMs: number;
  };
}

/**
 * What inlay.yaml says about running the model, its defaults and the environment's own values laid over.
 * @throws USAGE when the file has no such environment
 */
export function resolveDeploy(config: Pick<Config, 'deploy'>, environment?: string): Deploy {
  const { environments, ...base } = config.deploy ?? {};
  const own = environment === undefined ? undefined : environments?.[environment];
  if (environment !== undefined && own === undefined) {
    const known = Object.keys(environments ?? {}).join(', ');
    throw new InlayError('USAGE', `--env ${environment}: inlay.yaml has no such environment`, {
      hint: known === '' ? 'Add it under deploy: environments:.' : `It has ${known}.`,
    });
  }
  const merged = { ...base, ...own };
  const canary = { ...base.canary, ...own?.canary };
  const limits = { ...base.canary?.limits, ...own?.canary?.limits };
  const replicas = { ...base.replicas, ...own?.replicas };
  const min = replicas.min ?? Math.min(replicas.initial ?? 2, replicas.max ?? 2);
  return {
    namespace: merged.namespace,
    replicas: { min, initial: replicas.initial ?? min, max: replicas.max ?? Math.max(10, min) },
    targetCpu: merged.targetCpu ?? 50,
    canary: {
      steps: canary.steps ?? [20, 50],
      intervalMs: durationMs(canary.interval ?? '2m'),
      limits: {
        errorRate: limits.errorRate ?? 0.01,
        p99Ratio: limits.p99Ratio ?? 1.5,
        labelShift: limits.labelShift ?? 0.05,
        memory: 0.95,
      },
      onInconclusive: canary.onInconclusive ?? 'pause',
      bakeMs: durationMs(canary.bake ?? '10m'),
    },
  };
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30s`, `2m`, `1.5h` in milliseconds; the schema has checked it. */
export function durationMs(text: string): number {
  const [, number = '', unit = ''] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
