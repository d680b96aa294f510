// Whose a Deployment's fields are, in the form in which an API server answers.
import { expect, test } from 'bun:test';
import { foreignWriters, managedFieldsSchema } from '../../../src/cluster/observe/writers.ts';

const container = (fields: object) => ({
  'f:spec': {
    'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"server"}': { '.': {}, 'f:name': {}, ...fields } } } },
  },
});
const entry = (manager: string, fieldsV1: object, more: object = {}) => ({
  manager,
  operation: 'Apply',
  apiVersion: 'apps/v1',
  time: '2026-11-24T09:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
});
const OURS = entry('inlay', container({ 'f:image': {}, 'f:resources': { 'f:limits': { 'f:cpu': {} } } }));
const writers = (...entries: object[]) => foreignWriters(managedFieldsSchema.parse(entries));

test('fields that another tool has taken are told by their paths', () => {
  const edited = entry('kubectl-edit', container({ 'f:env': { 'k:{"name":"LOG_LEVEL"}': { 'f:value': {} } } }));
  expect(writers(OURS, edited)).toEqual([
    {
      manager: 'kubectl-edit',
      fields: ['spec.template.spec.containers[server].env[LOG_LEVEL].value'],
      gitOps: false,
    },
  ]);
});

test('what others may write is no drift: the status, replicas, a restart, and what inlay wants as well', () => {
  const restarted = {
    'f:spec': {
      'f:template': {
        'f:metadata': { 'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/restartedAt': {} } },
      },
    },
  };
  expect(
    writers(
      OURS,
      entry('inlay-replicas', { 'f:spec': { 'f:replicas': {} } }),
      entry('kube-controller-manager', { 'f:status': { 'f:replicas': {} } }, { subresource: 'status' }),
      entry('kube-controller-manager', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' }),
      entry('kubectl', { 'f:spec': { 'f:replicas': {} } }),
      entry('kubectl-rollout', restarted),
      entry('kubectl', container({ 'f:image': {} })),
    ),
  ).toEqual([]);
});

test('a tool that applies from Git is told even while it agrees', () => {
  expect(writers(OURS, entry('argocd-controller', container({ 'f:image': {} })))).toEqual([
    { manager: 'argocd-controller', fields: [], gitOps: true },
  ]);
});

test('of what inlay has not applied nothing is said', () => {
  expect(writers(entry('kubectl', container({ 'f:image': {} })), entry('argocd-controller', {}))).toEqual([]);
});

test('ports are named by what tells them apart', () => {
  const ports = { 'f:spec': { 'f:ports': { 'k:{"port":8000,"protocol":"TCP"}': { 'f:targetPort': {} } } } };
  expect(writers(OURS, entry('other', ports))[0]?.fields).toEqual(['spec.ports[8000 TCP].targetPort']);
});
