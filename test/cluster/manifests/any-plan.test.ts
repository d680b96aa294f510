// Properties that hold for whatever a person may write: plans are drawn from a generator with fixed seeds.
import { expect, setDefaultTimeout, test } from 'bun:test';
import { parseAllDocuments } from 'yaml';
import {
  autoscalerOf,
  deploymentOf,
  type KubeObject,
  lifecycleOf,
  manifestFiles,
  manifestsOf,
  replicasPatch,
  toYaml,
  unwantedObjects,
} from '../../../src/cluster/index.ts';
import { planOf } from '../plans.ts';

// Other tests may have the processors.
setDefaultTimeout(60_000);

/** Mulberry32: the same numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function planFor(seed: number) {
  const next = numbers(seed);
  const pick = <T>(...from: readonly T[]) => from[Math.floor(next() * from.length)] as T;
  const maybe = <T>(value: () => T) => (next() < 0.5 ? value() : undefined);
  const text = (length: number) =>
    Array.from({ length }, () => pick('a', 'Z', '0', '.', '-', '_', ' ', 'ß', '/', ':', '"', '#', 'on', '1e3')).join(
      '',
    );
  const value = () => pick('on', 'no', '0x1', '1_0', '1e3', 'null', '', 'A.b-c_d', '0.1', '2026-11-24', 'x'.repeat(63));
  const min = 1 + Math.floor(next() * 5);
  const deploy = {
    namespace: maybe(() => pick('ml', 'default', '1', 'n'.repeat(63))),
    replicas: maybe(() => ({ min, initial: min + 1, max: min + 1 + Math.floor(next() * 9) })),
    targetCpu: maybe(() => 1 + Math.floor(next() * 100)),
    canary: maybe(() => ({ interval: pick('0s', '100ms', '90s', '1.5h', '30d') })),
    imagePullSecrets: maybe(() => [pick('regcred', '0', 'a.b')]),
    ingress: pick<unknown>(undefined, false, { host: pick('a', '*.b.example.com'), annotations: { 'a/b': text(9) } }),
    gateway: pick<unknown>(undefined, false, { parents: [{ name: 'edge' }, { name: 'x', namespace: 'y' }] }),
    networkPolicy: pick<unknown>(undefined, false, { from: [{ podSelector: { matchLabels: { a: value() } } }, {}] }),
    env: maybe(() => ({
      GRPC_PORT: pick<unknown>(undefined, 0, '0'),
      DRAIN_S: pick<unknown>(undefined, 0, 3600, '7.5'),
      BODY_TIMEOUT_S: pick<unknown>(undefined, 0.5, 3600),
      MAX_CONNECTION_AGE_S: pick<unknown>(undefined, 0, '300'),
      PREDICTION_LOG_REDACT: pick(undefined, text(5)),
      LOG_LEVEL: pick(undefined, 'DEBUG'),
    })),
    nodeSelector: maybe(() => ({ disk: value() })),
    tolerations: maybe(() => [{ operator: 'Exists' }, { key: 'a', value: value(), tolerationSeconds: 3 }]),
    labels: maybe(() => ({ team: value(), 'example.com/x': value() })),
    annotations: maybe(() => ({ note: text(40), 'example.com/y': value() })),
  };
  return planOf(JSON.parse(JSON.stringify(deploy)) as object, {
    service: pick('iris', 'a', `a${'-x'.repeat(24)}`, 'i'.repeat(50)),
    contract: {
      owner: pick(undefined, text(20), '___', 'o'.repeat(63)),
      version: pick('0.0.1', '1', '_', '1e3', '0.10', 'v'.repeat(63), 'a..-'),
      model: { digest: `sha256:${'b'.repeat(64)}`, sizeBytes: Math.floor(next() ** 8 * 5e11) },
      inputs: [{ name: text(12), datatype: 'BYTES', shape: [-1] }],
    } as object,
  });
}

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

const all = (seed: number): readonly KubeObject[] => {
  const plan = planFor(seed);
  return [...manifestsOf(plan), deploymentOf(plan, 'canary'), autoscalerOf(plan, 'canary', { min: 1, max: 2 })];
};

test('every name, label and annotation is one that Kubernetes takes', () => {
  for (const seed of SEEDS) {
    const wrong = all(seed).flatMap(({ kind, metadata }) => [
      ...(NAME.test(metadata.name) ? [] : [`${kind} ${metadata.name}`]),
      ...Object.entries(metadata.labels).flatMap(([key, value]) =>
        LABEL_KEY.test(key) && LABEL_VALUE.test(value) ? [] : [`${kind} label ${key}=${value}`],
      ),
      ...Object.entries(metadata.annotations ?? {}).flatMap(([key, value]) =>
        LABEL_KEY.test(key) && typeof value === 'string' ? [] : [`${kind} annotation ${key}`],
      ),
    ]);
    expect([seed, wrong]).toEqual([seed, []]);
  }
});

test('objects are plain JSON, in the plan’s namespace, and each stands once', () => {
  for (const seed of SEEDS) {
    const objects = all(seed);
    expect(JSON.parse(JSON.stringify(objects))).toStrictEqual(objects);
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { kind, metadata } of objects)
      expect(metadata.namespace).toBe(kind === 'Namespace' ? undefined : planFor(seed).namespace);
  }
});

test('a plan’s objects and those that it does not want are all that there can be, and none is both', () => {
  for (const seed of SEEDS) {
    const plan = planFor(seed);
    const id = ({ kind, metadata }: { kind: string; metadata: { name: string } }) => `${kind}/${metadata.name}`;
    const wanted = manifestsOf(plan, { namespaceObject: false }).map(id);
    const unwanted = unwantedObjects(plan).map(id);
    expect(wanted.filter((one) => unwanted.includes(one))).toEqual([]);
    expect(wanted.length + unwanted.length).toBe(10);
  }
});

test('selectors find their own pods: of one role for a Deployment, of both for what is shared', () => {
  for (const seed of SEEDS) {
    const plan = planFor(seed);
    const pods = (['stable', 'canary'] as const).map(
      (role) => deploymentOf(plan, role).spec?.template.metadata?.labels ?? {},
    );
    const selected = (labels: Readonly<Record<string, string>>) =>
      pods.map((pod) => Object.entries(labels).every(([key, value]) => pod[key] === value));
    expect(selected(deploymentOf(plan, 'stable').spec?.selector.matchLabels ?? {})).toEqual([true, false]);
    expect(selected(deploymentOf(plan, 'canary').spec?.selector.matchLabels ?? {})).toEqual([false, true]);
    for (const object of manifestsOf(plan)) {
      if (object.kind !== 'PodDisruptionBudget' && object.kind !== 'NetworkPolicy') continue;
      type Selector = { readonly matchLabels: Record<string, string> };
      const { spec } = object as unknown as { spec: { selector?: Selector; podSelector?: Selector } };
      expect(selected((spec.podSelector ?? spec.selector)?.matchLabels ?? {})).toEqual([true, true]);
    }
  }
});

test('numbers are in the ranges of Kubernetes, and a pod has time to end', () => {
  for (const seed of SEEDS) {
    const plan = planFor(seed);
    const pod = deploymentOf(plan, 'stable').spec?.template.spec;
    const [container] = pod?.containers ?? [];
    for (const probe of [container?.startupProbe, container?.readinessProbe, container?.livenessProbe])
      for (const part of [probe?.periodSeconds, probe?.timeoutSeconds, probe?.failureThreshold])
        expect(part).toSatisfy((n) => Number.isInteger(n) && Number(n) >= 1 && Number(n) < 2 ** 31);
    const { preStopS, maxDrainS, longestRequestS, connectionAgeS } = lifecycleOf(plan);
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStopS + maxDrainS + longestRequestS);
    expect(Number.isInteger(pod?.terminationGracePeriodSeconds)).toBe(true);
    expect(plan.deploy.env.MAX_CONNECTION_AGE_S ?? connectionAgeS).toSatisfy((s) => Number(s) >= 0 && Number(s) <= 300);
    expect(replicasPatch(plan, 'stable', plan.deploy.replicas.initial).spec.replicas).toBeGreaterThanOrEqual(1);
  }
});

test('the YAML says the same to readers of 1.1 and 1.2, and is the same each time', () => {
  for (const seed of SEEDS.slice(0, 20)) {
    const objects = all(seed);
    const text = toYaml(objects);
    expect(toYaml(all(seed))).toBe(text);
    for (const version of ['1.1', '1.2'] as const) {
      const read = parseAllDocuments(text, { version });
      expect(Array.isArray(read) && read.map((document) => document.toJS())).toEqual([...objects]);
    }
  }
});

test('a folder has a file an object, each name once', () => {
  for (const seed of SEEDS) {
    const plan = planFor(seed);
    const objects = manifestsOf(plan);
    const files = manifestFiles(objects, plan.service);
    expect(new Set(files.map(({ name }) => name)).size).toBe(objects.length + 1);
  }
});
