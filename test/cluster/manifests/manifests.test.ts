import { expect, test } from 'bun:test';
import {
  autoscalerOf,
  type KubeObject,
  manifestsOf,
  routeOf,
  sharedObjects,
  toYaml,
  unwantedObjects,
} from '../../../src/cluster/index.ts';
import { FULL, planOf } from '../plans.ts';

const named = (objects: readonly { kind: string; metadata: { name: string } }[]) =>
  objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
const find = (objects: readonly KubeObject[], kind: string, name = 'iris') =>
  objects.find((object) => object.kind === kind && object.metadata.name === name) as
    | (KubeObject & { readonly spec: Record<string, unknown> })
    | undefined;

test('a first release is applied in an order in which each finds what it needs', () => {
  expect(named(manifestsOf(planOf()))).toEqual([
    'Namespace/ml',
    'ServiceAccount/iris',
    'NetworkPolicy/iris',
    'PodDisruptionBudget/iris',
    'Service/iris',
    'Deployment/iris',
    'HorizontalPodAutoscaler/iris',
  ]);
  expect(named(manifestsOf(planOf(FULL)))).toEqual([
    'Namespace/ml',
    'ServiceAccount/iris',
    'NetworkPolicy/iris',
    'PodDisruptionBudget/iris',
    'Service/iris',
    'Service/iris-stable',
    'Service/iris-canary',
    'Ingress/iris',
    'Deployment/iris',
    'HorizontalPodAutoscaler/iris',
    'HTTPRoute/iris',
  ]);
});

test('the namespace admits restricted pods alone', () => {
  expect(find(manifestsOf(planOf()), 'Namespace', 'ml')?.metadata.labels).toMatchObject({
    'pod-security.kubernetes.io/enforce': 'restricted',
  });
});

test('a namespace that is somebody else’s is left alone', () => {
  expect(named(manifestsOf(planOf(), { namespaceObject: false }))).not.toContain('Namespace/ml');
  expect(named(manifestsOf(planOf({ namespace: 'default' })))).not.toContain('Namespace/default');
});

test('one Service and one disruption budget are for both roles', () => {
  const objects = manifestsOf(planOf());
  expect(find(objects, 'Service')?.spec).toMatchObject({
    selector: { 'app.kubernetes.io/name': 'iris' },
    ports: [
      { name: 'http', port: 8000, appProtocol: 'http' },
      { name: 'grpc', port: 8001, appProtocol: 'kubernetes.io/h2c' },
    ],
  });
  expect(find(objects, 'PodDisruptionBudget')?.spec).toEqual({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: { 'app.kubernetes.io/name': 'iris' } },
  });
});

test('what both roles share says nothing of one version', () => {
  const shared = (version: string, digest: string) =>
    sharedObjects(planOf(FULL, { contract: { version, model: { digest, sizeBytes: 1 } } }));
  expect(shared('2', 'sha256:x')).toEqual(shared('1', 'sha256:y'));
});

test('a pod can be reached at its two ports, and reaches nobody', () => {
  const policy = (deploy: object) => find(manifestsOf(planOf(deploy)), 'NetworkPolicy')?.spec;
  const ports = [
    { port: 8000, protocol: 'TCP' },
    { port: 8001, protocol: 'TCP' },
  ];
  expect(policy({})).toEqual({
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'iris' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ ports }],
  });
  expect(policy(FULL)?.ingress).toEqual([{ ports, from: FULL.networkPolicy.from }]);
  expect(policy({ networkPolicy: false })).toBeUndefined();
  expect(policy({ env: { GRPC_PORT: 0 } })?.ingress).toEqual([{ ports: ports.slice(0, 1) }]);
});

test('the autoscaler of a role has its own bounds', () => {
  expect(find(manifestsOf(planOf(FULL)), 'HorizontalPodAutoscaler')?.spec).toMatchObject({
    minReplicas: 3,
    maxReplicas: 10,
    metrics: [{ resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }],
  });
  const canary = autoscalerOf(planOf(FULL), 'canary', { min: 1, max: 4 });
  expect(canary.metadata.name).toBe('iris-canary');
  expect(canary.spec).toMatchObject({ scaleTargetRef: { name: 'iris-canary' }, minReplicas: 1, maxReplicas: 4 });
});

test('an Ingress sends its host to the service', () => {
  expect(find(manifestsOf(planOf(FULL)), 'Ingress')).toMatchObject({
    metadata: { annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '16m' } },
    spec: { ingressClassName: 'nginx', tls: [{ hosts: ['iris.example.com'], secretName: 'iris-tls' }] },
  });
  const plain = find(manifestsOf(planOf({ ingress: { host: 'a.b' } })), 'Ingress')?.spec;
  expect(Object.keys(plain ?? {})).toEqual(['rules']);
});

test('an HTTPRoute weighs a Service of each role, whose pods are its own', () => {
  const plan = planOf(FULL);
  expect(routeOf(plan, { stable: 90, canary: 10 })?.spec).toEqual({
    parentRefs: [{ name: 'edge', namespace: 'web', sectionName: 'https' }],
    hostnames: ['iris.example.com'],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        backendRefs: [
          { name: 'iris-stable', port: 8000, weight: 90 },
          { name: 'iris-canary', port: 8000, weight: 10 },
        ],
      },
    ],
  });
  for (const role of ['stable', 'canary'])
    expect(find(manifestsOf(plan), 'Service', `iris-${role}`)?.spec.selector).toEqual({
      'app.kubernetes.io/name': 'iris',
      'inlay/role': role,
    });
  const first = find(manifestsOf(plan), 'HTTPRoute')?.spec.rules;
  expect(JSON.stringify(first)).toContain('"name":"iris-canary","port":8000,"weight":0');
  expect(routeOf(planOf(), { stable: 100, canary: 0 })).toBeUndefined();
});

test('what deploy no longer asks for is named, so that it can be deleted', () => {
  expect(named(unwantedObjects(planOf({ networkPolicy: false })))).toEqual([
    'NetworkPolicy/iris',
    'Service/iris-stable',
    'Service/iris-canary',
    'Ingress/iris',
    'HTTPRoute/iris',
  ]);
  expect(unwantedObjects(planOf(FULL))).toEqual([]);
});

test('labels and annotations of deploy are on every object and the pods', () => {
  for (const { kind, metadata } of manifestsOf(planOf(FULL), { namespaceObject: false })) {
    expect([kind, metadata.labels['example.com/team']]).toEqual([kind, 'flowers']);
    expect([kind, metadata.annotations?.['example.com/note']]).toEqual([kind, 'on: call']);
    expect([kind, metadata.labels['app.kubernetes.io/instance']]).toEqual([kind, metadata.name]);
  }
});

test('owner and environment are labels, made fit; the owner as written is an annotation', () => {
  const plan = planOf(
    { environments: { 'prod eu': {} } },
    { environment: 'prod eu', contract: { owner: '(Flowers) & Team ', version: '_1.' } },
  );
  const deployment = manifestsOf(plan).find(({ kind }) => kind === 'Deployment');
  expect(deployment?.metadata.labels).toMatchObject({
    'inlay/owner': 'Flowers-Team',
    'inlay/environment': 'prod-eu',
    'app.kubernetes.io/version': '1',
  });
  expect(deployment?.metadata.annotations?.['inlay/owner']).toBe('(Flowers) & Team ');
});

test('the same plan gives the same bytes, with the reason why replicas are missing', () => {
  expect(toYaml(manifestsOf(planOf(FULL)))).toBe(toYaml(manifestsOf(planOf(structuredClone(FULL)))));
  expect(toYaml(manifestsOf(planOf()))).toContain('# No replicas, on purpose');
});
