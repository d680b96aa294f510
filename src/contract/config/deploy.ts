import { InlayError } from '../../error/index.ts';
import type { DeployConfig, EnvironmentConfig, NetworkPeer, Toleration } from './deploy-schema.ts';
import { type MetricRule, parseMetricRule } from './metric-rule.ts';
import { overlay } from './overlay.ts';
import type { Config } from './schema.ts';

/** `deploy:` with every default filled in, for one environment. Plain data: a journal keeps it as JSON. */
export interface Deploy {
  /** The environment's name, where one was asked for. */
  readonly environment: string | undefined;
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
  /** What the metrics of training have to be; `judgeMetric` asks. */
  readonly require: readonly MetricRule[];
  /** The public key that must have signed the image: a path relative to inlay.yaml. */
  readonly verify: { readonly key: string } | undefined;
  readonly imagePullSecrets: readonly string[];
  readonly ingress:
    | {
        readonly host: string;
        readonly className: string | undefined;
        readonly tlsSecret: string | undefined;
        readonly annotations: Readonly<Record<string, string>>;
      }
    | undefined;
  /** Gateways and host names of the HTTPRoute; no host names: those of the Gateway's listeners. */
  readonly gateway:
    | {
        readonly parents: readonly {
          readonly name: string;
          readonly namespace?: string | undefined;
          readonly sectionName?: string | undefined;
        }[];
        readonly hostnames: readonly string[];
      }
    | undefined;
  /** Who may connect; an empty list is anyone. Undefined: no NetworkPolicy. */
  readonly networkPolicy: { readonly from: readonly NetworkPeer[] } | undefined;
  /** The server's variables (docs/server.md). */
  readonly env: Readonly<Record<string, string>>;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  readonly priorityClassName: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * What inlay.yaml says about running the model, its defaults and the environment's own values laid over.
 * @throws USAGE when the file has no such environment
 */
export function resolveDeploy(config: Pick<Config, 'deploy'>, environment?: string): Deploy {
  return withDefaults(environmentConfig(config, environment), environment);
}

/**
 * What a person wrote, with the environment's own values laid over: what a journal keeps, as the schema can read it again.
 * @throws USAGE when the file has no such environment
 */
export function environmentConfig(config: Pick<Config, 'deploy'>, environment?: string): EnvironmentConfig {
  const { environments, ...base } = config.deploy ?? {};
  const own = environment === undefined ? undefined : environments?.[environment];
  if (environment !== undefined && own === undefined) {
    const known = Object.keys(environments ?? {}).join(', ');
    throw new InlayError('USAGE', `--env ${environment}: inlay.yaml has no such environment`, {
      hint: known === '' ? 'Add it under deploy: environments:.' : `It has ${known}.`,
    });
  }
  return overlay<EnvironmentConfig>(base, own ?? {});
}

/** What one environment says, with every default. */
export function withDefaults(deploy: EnvironmentConfig, environment: string | undefined): Deploy {
  const { canary = {}, ingress, gateway, networkPolicy } = deploy;
  return {
    environment,
    namespace: deploy.namespace,
    replicas: replicasOf(deploy.replicas ?? {}),
    targetCpu: deploy.targetCpu ?? 50,
    canary: {
      steps: canary.steps ?? [20, 50],
      intervalMs: durationMs(canary.interval ?? '2m'),
      limits: {
        errorRate: canary.limits?.errorRate ?? 0.01,
        p99Ratio: canary.limits?.p99Ratio ?? 1.5,
        labelShift: canary.limits?.labelShift ?? 0.05,
        memory: canary.limits?.memory ?? 0.95,
      },
      onInconclusive: canary.onInconclusive ?? 'pause',
      bakeMs: durationMs(canary.bake ?? '10m'),
    },
    require: Object.entries(deploy.require ?? {}).map(([metric, rule]) => parseMetricRule(metric, rule)),
    verify: deploy.verify || undefined,
    imagePullSecrets: deploy.imagePullSecrets ?? [],
    ingress: ingress
      ? {
          host: ingress.host,
          className: ingress.className,
          tlsSecret: ingress.tlsSecret,
          annotations: ingress.annotations ?? {},
        }
      : undefined,
    gateway: gateway ? { parents: gateway.parents, hostnames: gateway.hostnames ?? [] } : undefined,
    networkPolicy: networkPolicy === false ? undefined : { from: networkPolicy?.from ?? [] },
    env: Object.fromEntries(Object.entries(deploy.env ?? {}).map(([name, value]) => [name, String(value)])),
    nodeSelector: deploy.nodeSelector ?? {},
    tolerations: deploy.tolerations ?? [],
    priorityClassName: deploy.priorityClassName,
    labels: deploy.labels ?? {},
    annotations: deploy.annotations ?? {},
  };
}

function replicasOf(given: NonNullable<EnvironmentConfig['replicas']>): Deploy['replicas'] {
  const min = given.min ?? Math.min(given.initial ?? 2, given.max ?? 2);
  const initial = given.initial ?? min;
  return { min, initial, max: given.max ?? Math.max(10, initial) };
}

/** A mistake that takes more than one key to see, or an environment laid over the base. */
export interface DeployMistake {
  readonly path: readonly string[];
  readonly message: string;
}

/** What no schema of one key can see, in the base and in each environment as it will be. */
export function deployMistakes(deploy: DeployConfig): DeployMistake[] {
  const names = [undefined, ...Object.keys(deploy.environments ?? {})];
  const all = names.flatMap((name) => {
    const { replicas, canary } = resolveDeploy({ deploy }, name);
    const at = name === undefined ? [] : ['environments', name];
    const found: DeployMistake[] = [];
    const { min, initial, max } = replicas;
    if (min > max) found.push({ path: [...at, 'replicas'], message: `min ${min} is more than max ${max}` });
    else if (initial < min || initial > max)
      found.push({ path: [...at, 'replicas'], message: `initial ${initial} is not between min ${min} and max ${max}` });
    if (canary.steps.some((step, i) => step <= (canary.steps[i - 1] ?? 0)))
      found.push({ path: [...at, 'canary', 'steps'], message: 'each step is more than the one before' });
    return found;
  });
  // What the base has wrong, each environment inherits: it is told once.
  const base = new Set(all.filter(({ path }) => path[0] !== 'environments').map(({ message }) => message));
  return all.filter(({ path, message }) => path[0] !== 'environments' || !base.has(message));
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30s`, `2m`, `1.5h` in milliseconds; the schema has checked it. */
export function durationMs(text: string): number {
  const [, number = '', unit = ''] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
