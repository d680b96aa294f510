import { afterEach, beforeEach, expect, test } from 'bun:test';
import { statusOf } from '../../../src/cluster/index.ts';
import type { InlayError } from '../../../src/error/index.ts';
import { FakeApi } from '../fake-api.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/ml/deployments';

let api: FakeApi;
beforeEach(() => {
  api = new FakeApi();
  api.objects.set('/api/v1/namespaces/ml/pods', list());
});
afterEach(() => api.stop());

function list(...services: string[]) {
  const items = services.map((name) => ({
    metadata: { name, labels: { 'app.kubernetes.io/name': name, 'inlay/role': 'stable' } },
    spec: { template: { spec: { containers: [] } } },
  }));
  return { metadata: { name: '', resourceVersion: '1' }, items };
}

const asked = (service: string) =>
  statusOf({ kube: api.kube(), namespace: 'ml', service }).then(
    () => undefined,
    (error: InlayError) => error,
  );

test('a service that is not there is told with those that are', async () => {
  api.objects.set(DEPLOYMENTS, list('iris', 'digits'));
  const error = await asked('irsi');
  expect([error?.code, error?.hint]).toEqual(['SERVICE_NOT_FOUND', 'Did you mean iris? There are: digits, iris.']);
});

test('where there is none, the namespace is likely another one', async () => {
  api.objects.set(DEPLOYMENTS, list());
  const error = await asked('iris');
  expect([error?.code, error?.hint?.includes('--namespace')]).toEqual(['SERVICE_NOT_FOUND', true]);
});

test('one that another tool applied is there, and is not what was meant by another name', async () => {
  api.objects.set(DEPLOYMENTS, list('iris'));
  const error = await asked('iris');
  expect(error?.code).toBe('SERVICE_NOT_FOUND');
  expect([error?.hint?.includes('Did you mean'), error?.hint?.includes('--config')]).toEqual([false, true]);
});
