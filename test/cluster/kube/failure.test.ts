import { expect, test } from 'bun:test';
import { failureOf } from '../../../src/cluster/kube/failure.ts';

const hintOf = (message: string, reason = 'Conflict') =>
  failureOf('applying Deployment ml/iris', 'prod', 409, JSON.stringify({ message, reason })).hint;

test.each([
  'Apply failed with 1 conflict: conflict with "kubectl-set" using apps/v1: .spec.template.spec.containers[name="server"].image',
  'Apply failed with 2 conflicts: conflicts with "kustomize-controller":\n- .spec.replicas\n- .metadata.labels.a',
])('fields of another tool are not mended by running the command again: %s', (message) => {
  expect(hintOf(message)).toContain('--force-conflicts');
});

test('an object that somebody changed in between is', () => {
  expect(hintOf('Operation cannot be fulfilled: the object has been modified')).not.toContain('--force-conflicts');
});
