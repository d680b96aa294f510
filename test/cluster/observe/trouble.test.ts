// Why pods do not serve, from the statuses that a kubelet writes.
import { expect, test } from 'bun:test';
import { progressOf, troubleOf } from '../../../src/cluster/observe/index.ts';
import { deploymentSchema, type KubeEvent, podSchema } from '../../../src/cluster/observe/objects.ts';

interface Kubelet {
  readonly phase?: string;
  readonly reason?: string;
  readonly container?: object;
  readonly conditions?: readonly object[];
  readonly deleted?: boolean;
}

const unready = { type: 'Ready', status: 'False' };
const pod = ({ phase = 'Running', reason, container, conditions = [unready], deleted }: Kubelet) =>
  podSchema.parse({
    metadata: { name: 'p', ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { nodeName: 'node-1', containers: [{ name: 'inlay' }] },
    status: {
      phase,
      reason: reason ?? '',
      conditions,
      containerStatuses: container === undefined ? [] : [{ name: 'inlay', ...container }],
    },
  });
const event = (reason: string, message: string): KubeEvent => ({
  type: 'Warning',
  reason,
  message,
  involvedObject: { kind: 'Pod', name: 'p' },
});
const ended = (exitCode: number, reason = 'Error') => ({ terminated: { exitCode, reason } });
const waiting = (reason: string, message = '') => ({ waiting: { reason, message } });
const causes = (kubelet: Kubelet, ...events: KubeEvent[]) =>
  troubleOf([pod(kubelet)], undefined, events).map(({ cause }) => cause);

test('a pod that only takes its time is no trouble', () => {
  expect(causes({ container: { state: { running: {} } } })).toEqual([]);
  expect(causes({ phase: 'Pending', container: { state: waiting('ContainerCreating') } })).toEqual([]);
});

test.each([
  ['IMAGE_PULL', { phase: 'Pending', container: { state: waiting('ErrImagePull', 'not found') } }, []],
  ['IMAGE_PULL', { phase: 'Pending', container: { state: waiting('ImagePullBackOff') } }, []],
  [
    'ARCHITECTURE',
    { phase: 'Pending', container: { state: waiting('ImagePullBackOff', 'Back-off pulling image') } },
    [event('Failed', 'Failed to pull image: no match for platform in manifest')],
  ],
  [
    'ARCHITECTURE',
    {
      container: {
        restartCount: 1,
        state: waiting('CrashLoopBackOff'),
        lastState: { terminated: { exitCode: 1, message: 'exec format error' } },
      },
    },
    [],
  ],
  [
    'OUT_OF_MEMORY',
    { container: { restartCount: 1, state: waiting('CrashLoopBackOff'), lastState: ended(137, 'OOMKilled') } },
    [],
  ],
  ['OUT_OF_MEMORY', { container: { state: ended(137, 'OOMKilled') } }, []],
  ['CRASH', { container: { restartCount: 2, state: waiting('CrashLoopBackOff'), lastState: ended(1) } }, []],
  ['CRASH', { container: { state: ended(1) } }, []],
  ['CONFIGURATION', { phase: 'Pending', container: { state: waiting('CreateContainerConfigError', 'no Secret') } }, []],
  [
    'CONFIGURATION',
    { phase: 'Pending', container: { state: waiting('ContainerCreating') } },
    [event('FailedMount', 'no volume')],
  ],
  [
    'UNSCHEDULABLE',
    {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'Insufficient cpu' }],
    },
    [],
  ],
  ['EVICTED', { phase: 'Failed', reason: 'Evicted' }, []],
  [
    'NOT_READY',
    { container: { state: { running: {} }, started: true } },
    [event('Unhealthy', 'Readiness probe failed')],
  ],
  [
    'NOT_READY',
    { container: { restartCount: 1, state: { running: {} }, lastState: ended(137) } },
    [
      event('Unhealthy', 'Startup probe failed'),
      event('Killing', 'Container inlay failed startup probe, will be restarted'),
    ],
  ],
  ['NODE_LOST', { container: { ready: true, state: { running: {} } } }, []],
] as const)('%s: %j', (cause, kubelet, events) => {
  expect(causes(kubelet, ...events)).toEqual([cause]);
});

test('a pod that serves again has no trouble, however it once ended; nor has one on its way out', () => {
  const container = { ready: true, restartCount: 3, state: { running: {} }, lastState: ended(137, 'OOMKilled') };
  expect(causes({ container, conditions: [{ type: 'Ready', status: 'True' }] })).toEqual([]);
  expect(causes({ container: { state: ended(1) }, deleted: true })).toEqual([]);
});

const deployment = (status: object, replicas = 2) =>
  deploymentSchema.parse({
    metadata: { name: 'iris', generation: 2 },
    spec: { replicas, template: { spec: { containers: [{ name: 'inlay' }] } } },
    status: { observedGeneration: 2, ...status },
  });
const failing = (message: string) =>
  deployment({ conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] });

test('a Deployment that may not make its pods: a quota, or a policy', () => {
  expect(troubleOf([], failing('pods "x" is forbidden: exceeded quota: small'), [])[0]?.cause).toBe('QUOTA');
  expect(troubleOf([], failing('denied by webhook'), [])[0]?.cause).toBe('REFUSED');
});

test('a pod that a node put out is told of until another has taken its place', () => {
  const out = pod({ phase: 'Failed', reason: 'Evicted' });
  expect(troubleOf([out], deployment({ availableReplicas: 1 }), [])).toHaveLength(1);
  expect(troubleOf([out], deployment({ availableReplicas: 2 }), [])).toEqual([]);
});

test('a rollout is done as kubectl says it', () => {
  const done = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  expect(progressOf(deployment(done)).done).toBe(true);
  for (const not of [{ observedGeneration: 1 }, { updatedReplicas: 1 }, { replicas: 3 }, { availableReplicas: 1 }])
    expect(progressOf(deployment({ ...done, ...not })).done).toBe(false);
});
