import { afterEach, beforeEach, expect, test } from 'bun:test';
import { JournalStore, statusOf } from '../../../src/cluster/index.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { journalOf, releaseOf } from '../releases.ts';

let api: FakeCluster;
beforeEach(() => {
  api = new FakeCluster();
});
afterEach(() => api.stop());

test('a release whose Job cannot begin says why', async () => {
  const store = new JournalStore(api.kube(), 'ml', 'iris');
  await store.open();
  const { outcome, endedAt, ...going } = releaseOf(1, '1', { state: 'running', steps: [] });
  await store.write(journalOf(going));
  api.objects.set('/apis/batch/v1/namespaces/ml/jobs/inlay-iris-1', {
    metadata: {
      name: 'inlay-iris-1',
      labels: { 'app.kubernetes.io/component': 'release', 'app.kubernetes.io/name': 'iris' },
    },
  });
  const waiting = { reason: 'ImagePullBackOff', message: 'manifest unknown' };
  api.objects.set('/api/v1/namespaces/ml/pods/inlay-iris-1-x', {
    metadata: { name: 'inlay-iris-1-x', labels: { 'inlay/releases': 'iris' } },
    spec: { containers: [] },
    status: { phase: 'Pending', containerStatuses: [{ name: 'inlay', state: { waiting } }] },
  });
  const status = await statusOf({ kube: api.kube(), namespace: 'ml', service: 'iris' });
  expect([status.holder, status.troubles.map(({ object, cause }) => [object, cause])]).toEqual([
    'Job inlay-iris-1',
    [['Pod inlay-iris-1-x', 'IMAGE_PULL']],
  ]);
});
