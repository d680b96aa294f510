// What the tests of a cluster's objects share: a service's plan, made of the `deploy:` that a person would write.
import type { ReleaseContract, ServicePlan } from '../../src/cluster/index.ts';
import { parseConfig, resolveDeploy } from '../../src/contract/index.ts';

export const DIGEST = `sha256:${'a'.repeat(64)}`;

export const CONTRACT: ReleaseContract = {
  name: 'iris',
  version: '0.0.1',
  task: 'classification',
  inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 3] }],
  prediction: 'probability',
  metrics: { accuracy: 0.97 },
  server: { cpu: '500m', memory: '300Mi' },
  owner: 'flowers-team',
  model: { digest: `sha256:${'b'.repeat(64)}`, sizeBytes: 9000, externalData: [] },
};

/** @param deploy the value of `deploy:`, as YAML reads it */
export function planOf(
  deploy: object = {},
  more: { environment?: string; contract?: Partial<ReleaseContract>; service?: string; namespace?: string } = {},
): ServicePlan {
  const service = more.service ?? 'iris';
  const config = parseConfig(
    JSON.stringify({ name: service, version: '0.0.1', model: 'm.onnx', deploy }),
    'inlay.yaml',
  );
  const resolved = resolveDeploy(config, more.environment);
  return {
    service,
    namespace: more.namespace ?? resolved.namespace ?? 'ml',
    deploy: resolved,
    image: {
      reference: `registry.example.com/ml/${service}:0.0.1@${DIGEST}`,
      digest: DIGEST,
      platforms: ['linux/amd64'],
      contract: { ...CONTRACT, name: service, ...more.contract },
    },
  };
}

/** `deploy:` with every key that makes an object or a part of one. */
export const FULL = {
  namespace: 'ml',
  replicas: { initial: 4, min: 3, max: 10 },
  targetCpu: 60,
  canary: { steps: [10, 50], interval: '5m' },
  imagePullSecrets: ['regcred'],
  ingress: {
    host: 'iris.example.com',
    className: 'nginx',
    tlsSecret: 'iris-tls',
    annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '16m' },
  },
  gateway: { parents: [{ name: 'edge', namespace: 'web', sectionName: 'https' }], hostnames: ['iris.example.com'] },
  networkPolicy: {
    from: [
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'web' } },
        podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
      },
      { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
    ],
  },
  env: { LOG_FORMAT: 'JSON', ACCESS_LOG: true },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
  priorityClassName: 'system-cluster-critical',
  labels: { 'example.com/team': 'flowers' },
  annotations: { 'example.com/note': 'on: call' },
};
