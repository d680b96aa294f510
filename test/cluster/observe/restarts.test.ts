import { expect, test } from 'bun:test';
import { lastRestartOf, podSchema } from '../../../src/cluster/observe/index.ts';

const pod = (restartCount: number, terminated?: object) =>
  podSchema.parse({
    metadata: { name: 'iris-1' },
    spec: { containers: [{ name: 'server' }] },
    status: { containerStatuses: [{ name: 'server', restartCount, lastState: terminated ? { terminated } : {} }] },
  });

test('of several restarts the last one is told, with how the container ended', () => {
  const killed = { reason: 'OOMKilled', exitCode: 137, finishedAt: '2026-11-24T09:00:05Z' };
  const crashed = { reason: 'Error', exitCode: 1, finishedAt: '2026-11-24T08:59:00Z' };
  expect(lastRestartOf([pod(2, killed), pod(1, crashed), pod(0)])).toEqual({
    at: '2026-11-24T09:00:05Z',
    reason: 'OOMKilled',
    exitCode: 137,
  });
});

test('pods that were never started again have none', () => {
  expect(lastRestartOf([pod(0), pod(0)])).toBeUndefined();
});
