import { expect, test } from 'bun:test';
import { deploymentOf, lifecycleOf, replicasPatch, startBudgetS } from '../../../src/cluster/index.ts';
import { DEFAULT_SETTINGS } from '../../../src/server/index.ts';
import { CONTRACT, DIGEST, FULL, planOf } from '../plans.ts';

const specOf = (plan = planOf(), role: 'stable' | 'canary' = 'stable') => {
  const { spec } = deploymentOf(plan, role);
  const pod = spec?.template.spec;
  const [container] = pod?.containers ?? [];
  if (!spec || !pod || !container) throw new Error('a Deployment without a container');
  return { spec, pod, container, env: Object.fromEntries((container.env ?? []).map((one) => [one.name, one.value])) };
};

test('replicas are not said, and the field manager of their own says nothing else', () => {
  expect('replicas' in specOf().spec).toBe(false);
  expect(replicasPatch(planOf(), 'canary', 2)).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'iris-canary', namespace: 'ml' },
    spec: { replicas: 2 },
  });
});

test('the role is in the selector of both from the first release on, and no pod is selected by both', () => {
  for (const role of ['stable', 'canary'] as const) {
    const { spec } = specOf(planOf(), role);
    expect(spec.selector.matchLabels).toEqual({ 'app.kubernetes.io/name': 'iris', 'inlay/role': role });
    expect(spec.template.metadata?.labels).toMatchObject(spec.selector.matchLabels ?? {});
  }
});

test('what can never be changed does not follow version, environment, owner or labels', () => {
  const other = planOf(
    { ...FULL, environments: { prod: { labels: { a: 'b' } } } },
    { environment: 'prod', contract: { version: '2', owner: 'others' } },
  );
  expect(specOf(other).spec.selector).toEqual(specOf().spec.selector);
});

test('the image is named with tag and digest, and not asked for again', () => {
  const { container } = specOf();
  expect(container.image).toBe(`registry.example.com/ml/iris:0.0.1@${DIGEST}`);
  expect(container.imagePullPolicy).toBe('IfNotPresent');
});

test('the pod is one that the restricted Pod Security Standard admits', () => {
  const { pod, container } = specOf(planOf(FULL));
  for (const context of [pod.securityContext, container.securityContext]) {
    expect(context).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  }
  expect(container.securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(pod.volumes?.map(({ name, ...source }) => Object.keys(source))).toEqual([['emptyDir']]);
  expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
  expect(container.ports?.some(({ hostPort }) => hostPort !== undefined)).toBe(false);
});

test('a pod ends after its sleep, its drain and the longest request', () => {
  for (const env of [{}, { MAX_DRAIN_S: 10 }, { DRAIN_S: 90, BODY_TIMEOUT_S: 300, MAX_QUEUE_MS: 2500 }]) {
    const { pod, container, env: told } = specOf(planOf({ env }));
    const { preStopS, drainS, maxDrainS, longestRequestS } = lifecycleOf(planOf({ env }));
    expect(container.lifecycle?.preStop?.sleep?.seconds).toBe(preStopS);
    expect([Number(told.DRAIN_S), Number(told.MAX_DRAIN_S)]).toEqual([drainS, maxDrainS]);
    expect(maxDrainS).toBeGreaterThanOrEqual(drainS);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStopS + maxDrainS + longestRequestS);
    expect(longestRequestS).toBeGreaterThan(
      (env.BODY_TIMEOUT_S ?? DEFAULT_SETTINGS.bodyTimeoutMs / 1000) + (env.MAX_QUEUE_MS ?? 1000) / 1000,
    );
  }
});

test('what the server does by default is what the manifests count with', () => {
  const { drainS, longestRequestS } = lifecycleOf(planOf());
  expect(drainS).toBe(DEFAULT_SETTINGS.drainMs / 1000);
  const told = lifecycleOf(
    planOf({
      env: { BODY_TIMEOUT_S: DEFAULT_SETTINGS.bodyTimeoutMs / 1000, MAX_QUEUE_MS: DEFAULT_SETTINGS.maxQueueMs },
    }),
  );
  expect(told.longestRequestS).toBe(longestRequestS);
});

test('a server that hangs is restarted within 15 s', () => {
  const { livenessProbe: probe } = specOf().container;
  const {
    periodSeconds = 10,
    timeoutSeconds = 1,
    failureThreshold = 3,
    terminationGracePeriodSeconds = 30,
  } = probe ?? {};
  // It hangs right after a probe; the kubelet gives two seconds to die at least.
  const atMostS = periodSeconds * failureThreshold + timeoutSeconds + terminationGracePeriodSeconds + 2;
  expect(atMostS).toBeLessThanOrEqual(15);
});

test('startup waits for a large model, and fills no event list', () => {
  const model = (gigabytes: number) => ({
    model: { ...CONTRACT.model, externalData: [{ file: 'w', digest: DIGEST, sizeBytes: gigabytes * 1e9 }] },
  });
  const seconds = (gigabytes: number) => {
    const { startupProbe: probe } = specOf(planOf({}, { contract: model(gigabytes) })).container;
    expect(probe?.failureThreshold).toBeLessThanOrEqual(600);
    return (probe?.failureThreshold ?? 0) * (probe?.periodSeconds ?? 0);
  };
  expect(seconds(0)).toBeGreaterThanOrEqual(60);
  expect(seconds(10)).toBeGreaterThanOrEqual(1000);
  expect(seconds(40)).toBeGreaterThan(seconds(10));
  const { spec } = specOf(planOf({}, { contract: model(10) }));
  expect(spec.progressDeadlineSeconds).toBeGreaterThan(startBudgetS({ ...CONTRACT, ...model(10) }));
});

test('each probe asks its own question', () => {
  const { startupProbe, readinessProbe, livenessProbe } = specOf().container;
  expect([startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet?.path)).toEqual([
    '/health/startup',
    '/health/ready',
    '/health/live',
  ]);
});

test('requests are what the contract says, and the limit of CPU is the request', () => {
  const { resources } = specOf(planOf({}, { contract: { server: { cpu: '2', memory: '1Gi' } } })).container;
  expect(resources?.requests).toMatchObject({ cpu: '2', memory: '1Gi' });
  expect(resources?.limits).toMatchObject({ cpu: '2', memory: '1Gi' });
  for (const side of [resources?.requests, resources?.limits]) expect(side?.['ephemeral-storage']).toMatch(/^\d+Mi$/);
});

test.each([
  ['10s', 0.2],
  ['2m', 0.8],
  ['5m', 2],
  ['1h', 24],
  ['3h', 30],
])('with an interval of %s connections live %d s', (interval, seconds) => {
  expect(specOf(planOf({ canary: { interval } })).env.MAX_CONNECTION_AGE_S).toBe(String(seconds));
});

test('variables of deploy.env are told, once each, and win', () => {
  const { container, env } = specOf(
    planOf({ env: { DRAIN_S: 20, MAX_DRAIN_S: 30, MAX_CONNECTION_AGE_S: 0, LOG_LEVEL: 'DEBUG' } }),
  );
  expect(env).toEqual({
    PORT: '8000',
    GRPC_PORT: '8001',
    DRAIN_S: '20',
    MAX_DRAIN_S: '30',
    MAX_CONNECTION_AGE_S: '0',
    LOG_LEVEL: 'DEBUG',
  });
  expect(new Set(container.env?.map(({ name }) => name)).size).toBe(container.env?.length ?? 0);
});

test('gRPC can be switched off', () => {
  const { container, env } = specOf(planOf({ env: { GRPC_PORT: 0 } }));
  expect(env.GRPC_PORT).toBe('0');
  expect(container.ports?.map(({ containerPort }) => containerPort)).toEqual([8000]);
});

test('no Service of the namespace sets a variable of the server', () => {
  expect(specOf().pod.enableServiceLinks).toBe(false);
});

test('the pod is spread over nodes and zones, revision by revision', () => {
  const { pod, spec } = specOf(planOf(), 'canary');
  expect(pod.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
    'topology.kubernetes.io/zone',
    'kubernetes.io/hostname',
  ]);
  for (const one of pod.topologySpreadConstraints ?? []) {
    expect(one.labelSelector).toEqual(spec.selector);
    expect(one.matchLabelKeys).toEqual(['pod-template-hash']);
  }
  expect(spec.strategy?.rollingUpdate?.maxUnavailable).toBe(0);
});

test('where a pod may run and with what rights it pulls is as deploy says', () => {
  expect(specOf(planOf(FULL)).pod).toMatchObject({
    imagePullSecrets: [{ name: 'regcred' }],
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
    priorityClassName: 'system-cluster-critical',
  });
  const plain = Object.keys(specOf().pod);
  expect(
    plain.filter((key) => ['imagePullSecrets', 'nodeSelector', 'tolerations', 'priorityClassName'].includes(key)),
  ).toEqual([]);
});

test('pods tell their model, input and task', () => {
  const annotations = specOf().spec.template.metadata?.annotations ?? {};
  expect(annotations).toMatchObject({
    'inlay/image': `registry.example.com/ml/iris:0.0.1@${DIGEST}`,
    'inlay/model': 'iris:0.0.1',
    'inlay/model-digest': CONTRACT.model.digest,
    'inlay/task': 'classification',
    'prometheus.io/port': '8000',
  });
  expect(JSON.parse(annotations['inlay/inputs'] ?? '')).toEqual(CONTRACT.inputs);
  expect(JSON.parse(annotations['inlay/outputs'] ?? '')).toEqual(CONTRACT.outputs);
});

test('a model with thousands of inputs does not burst what annotations may hold', () => {
  const inputs = Array.from({ length: 5000 }, (_, i) => ({
    name: `column_${i}`,
    datatype: 'FP32' as const,
    shape: [-1, 1],
  }));
  const { metadata } = deploymentOf(planOf({}, { contract: { inputs } }), 'stable');
  expect(JSON.stringify(metadata.annotations).length).toBeLessThan(100_000);
  expect(Object.keys(metadata.annotations ?? {})).not.toContain('inlay/inputs');
});

test('another inlay restarts no pod: only the Deployment says which one wrote it', () => {
  const { metadata, spec } = deploymentOf(planOf(), 'stable');
  expect(metadata.annotations?.['inlay/written-by']).toStartWith('inlay ');
  expect(Object.keys(spec?.template.metadata?.annotations ?? {})).not.toContain('inlay/written-by');
});
