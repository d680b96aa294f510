import { expect, test } from 'bun:test';
import { parseConfig, resolveDeploy } from '../../../src/contract/index.ts';
import { isInlayError } from '../../../src/error/index.ts';
import { readSettings } from '../../../src/server/index.ts';

const config = (deploy: string) =>
  parseConfig(`name: iris\nversion: "1"\nmodel: m.onnx\ndeploy:\n${deploy.replace(/^/gm, '  ')}\n`, 'inlay.yaml');

function mistakes(deploy: string): string {
  try {
    config(deploy);
  } catch (error) {
    if (isInlayError(error) && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return '';
}

test('without deploy: there is a default for everything', () => {
  expect(resolveDeploy({})).toEqual({
    environment: undefined,
    namespace: undefined,
    replicas: { initial: 2, min: 2, max: 10 },
    targetCpu: 50,
    canary: {
      steps: [20, 50],
      intervalMs: 120_000,
      limits: { errorRate: 0.01, p99Ratio: 1.5, labelShift: 0.05, memory: 0.95 },
      onInconclusive: 'pause',
      bakeMs: 600_000,
    },
    require: [],
    verify: undefined,
    imagePullSecrets: [],
    ingress: undefined,
    gateway: undefined,
    networkPolicy: { from: [] },
    env: {},
    nodeSelector: {},
    tolerations: [],
    priorityClassName: undefined,
    labels: {},
    annotations: {},
  });
});

const WITH_STAGING = config(`
namespace: ml
replicas: {initial: 4, min: 3, max: 10}
canary: {steps: [10, 50], limits: {errorRate: 0.02, memory: 0.8}}
require: {accuracy: ">= stable - 0.005", f1: ">= 0.8"}
verify: {key: keys/release.pub}
ingress: {host: iris.example.com, className: nginx}
networkPolicy: {from: [{podSelector: {}}]}
env: {LOG_FORMAT: JSON, DRAIN_S: 10}
tolerations: [{key: a}, {key: b}]
labels: {team: flowers}
environments:
  staging:
    namespace: ml-staging
    replicas: {initial: 1, min: 1}
    canary: {steps: [50], limits: {errorRate: 0.1}}
    require: {f1: ">= 0.5"}
    verify: false
    ingress: {host: staging.example.com}
    networkPolicy: false
    env: {DRAIN_S: 0}
    tolerations: []
  bare: {ingress: false}
`);

test('an environment is laid over the rest: objects key by key, lists replaced, false takes off', () => {
  const staging = resolveDeploy(WITH_STAGING, 'staging');
  expect(staging).toMatchObject({
    environment: 'staging',
    namespace: 'ml-staging',
    replicas: { initial: 1, min: 1, max: 10 },
    canary: { steps: [50], limits: { errorRate: 0.1, memory: 0.8, p99Ratio: 1.5 } },
    verify: undefined,
    ingress: { host: 'staging.example.com', className: 'nginx' },
    networkPolicy: undefined,
    env: { LOG_FORMAT: 'JSON', DRAIN_S: '0' },
    tolerations: [],
    labels: { team: 'flowers' },
  });
  expect(staging.require.map(({ metric, offset }) => [metric, offset])).toEqual([
    ['accuracy', -0.005],
    ['f1', 0.5],
  ]);
  expect(resolveDeploy(WITH_STAGING, 'bare').ingress).toBeUndefined();
});

test('the rest does not change for an environment', () => {
  const before = structuredClone(WITH_STAGING);
  resolveDeploy(WITH_STAGING, 'staging');
  expect(WITH_STAGING).toEqual(before);
  expect(resolveDeploy(WITH_STAGING)).toMatchObject({ namespace: 'ml', verify: { key: 'keys/release.pub' } });
});

test('what comes out is JSON, as the journal keeps it', () => {
  const deploy = resolveDeploy(WITH_STAGING, 'staging');
  expect(JSON.parse(JSON.stringify(deploy))).toEqual(JSON.parse(JSON.stringify(structuredClone(deploy))));
});

test('an environment that is not there is told with those that are', () => {
  expect(() => resolveDeploy(WITH_STAGING, 'prod')).toThrow(expect.objectContaining({ code: 'USAGE' }));
  expect(() => resolveDeploy({}, 'prod')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test.each([
  ['{}', { initial: 2, min: 2, max: 10 }],
  ['{initial: 20}', { initial: 20, min: 2, max: 20 }],
  ['{min: 12}', { initial: 12, min: 12, max: 12 }],
  ['{max: 1}', { initial: 1, min: 1, max: 1 }],
])('replicas %s fit each other', (text, replicas) => {
  expect(resolveDeploy(config(`replicas: ${text}`)).replicas).toEqual(replicas);
});

test.each([
  ['replicas: {min: 5, max: 3}', 'min 5 is more than max 3'],
  ['replicas: {initial: 1, min: 2}', 'initial 1 is not between'],
  ['canary: {steps: [50, 20]}', 'each step is more than the one before'],
  ['canary: {steps: [20, 20]}', 'each step'],
  ['environments: {a: {replicas: {min: 30}}}\nreplicas: {max: 3}', 'deploy.environments.a.replicas: min 30'],
  ['namespce: x', 'Did you mean namespace?'],
  ['environments: {a: {replcas: {min: 1}}}', 'Did you mean replicas?'],
  ['ingress: {hots: x}', 'Did you mean host?'],
  ['ingress: yes please', 'deploy.ingress: expected false or object, found string'],
  ['gateway: {parents: []}', 'deploy.gateway.parents'],
  ['gateway: {parents: [{nam: x}]}', 'Did you mean name?'],
  ['networkPolicy: {from: [{namespaceSelektor: {}}]}', 'Did you mean namespaceSelector?'],
  ['env: {LOG_LEVL: INFO}', 'Did you mean LOG_LEVEL?'],
  ['env: {PORT: 80}', 'unknown key deploy.env.PORT'],
  ['env: {DRAIN_S: "99999"}', 'expected a number from 0 to 3600'],
  ['env: {GRPC_PORT: 9000}', 'the port is 8001'],
  ['env: {PREDICTION_LOG: /var/log/x}', 'under /tmp'],
  ['labels: {app.kubernetes.io/name: x}', 'are written by inlay'],
  ['labels: {a: "b c"}', 'the value of a label'],
  ['annotations: {inlay/role: x}', 'are written by inlay'],
  ['require: {accuracy: better}', 'expected a rule like'],
  ['require: {accuracy: ">= stable * 2"}', 'expected a rule like'],
  ['verify: {key: ""}', 'deploy.verify.key'],
  ['namespace: ML', 'deploy.namespace'],
])('%s is a mistake', (deploy, told) => {
  expect(mistakes(deploy)).toContain(told);
});

test('a mistake of the base is told once, not for each environment again', () => {
  expect(mistakes('replicas: {min: 5, max: 3}\nenvironments: {a: {}, b: {}}')).toContain('has a mistake');
});

test.each(['iris-canary', 'iris-stable'])('%s is no name: it would be a part of iris', (name) => {
  expect(() => parseConfig(`name: ${name}\nversion: "1"\nmodel: m\n`, 'inlay.yaml')).toThrow('may not end in');
  expect(parseConfig(`name: x${name}s\nversion: "1"\nmodel: m\n`, 'inlay.yaml').name).toBe(`x${name}s`);
});

test('the server takes what deploy.env takes, and has no variable more', async () => {
  const { env } = resolveDeploy(
    config(
      'env: {LOG_LEVEL: DEBUG, LOG_FORMAT: JSON, GRPC_PORT: 0, DRAIN_S: 1.5, MAX_DRAIN_S: 20, MAX_BODY_BYTES: 2147483648, MAX_BODIES_BYTES: 1099511627776, MAX_HEADER_BYTES: 1024, MAX_REQUEST_ROWS: 1, MAX_CONNECTIONS: 1000000, LIVENESS_TIMEOUT_S: 0.5, TRANSFORM_TIMEOUT_S: 30, PREDICTION_LOG_MAX_BYTES: 0, BODY_TIMEOUT_S: 3600, MAX_QUEUE_ROWS: 1, MAX_QUEUE_MS: "500", MAX_CONNECTION_AGE_S: 86400, ACCESS_LOG: true, DIRECT_REQUESTS: false, PREDICTION_LOG: /tmp/log, PREDICTION_LOG_SAMPLE: 0.5, PREDICTION_LOG_REDACT: "a,b"}',
    ),
  );
  expect(readSettings(env)).toMatchObject({
    drainMs: 1500,
    maxDrainMs: 20_000,
    maxQueueMs: 500,
    accessLog: true,
    grpc: undefined,
  });
  const documented = [
    ...(await Bun.file(`${import.meta.dir}/../../../docs/server.md`).text()).matchAll(/^\| ([A-Z_]+) \|/gm),
  ]
    .map(([, name]) => name as string)
    .filter(
      (name) => !['HOST', 'PORT', 'MODEL_FILEPATH', 'LABEL_FILEPATH', 'TRANSFORM_DIR', 'PROJECT_DIR'].includes(name),
    );
  expect(Object.keys(env).sort()).toEqual(documented.sort());
});
