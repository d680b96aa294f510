import { expect, test } from 'bun:test';
import { PERMISSIONS } from '../../src/cluster/index.ts';
import { hubManifests } from '../../src/inventory/index.ts';

const IMAGE = `registry.example.com/ml/inlay@sha256:${'0'.repeat(64)}`;
const options = { namespace: 'inlay', image: IMAGE, insecureRegistries: [] };

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly securityContext: object;
        readonly containers: readonly {
          readonly image: string;
          readonly args: readonly string[];
          readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
          readonly securityContext: object;
        }[];
      };
    };
  };
}

function deploymentOf(more: object = {}): Deployment {
  const found = hubManifests({ ...options, ...more }).find(({ kind }) => kind === 'Deployment');
  return found as unknown as Deployment;
}

test('the hub runs in inlay’s own image, admitted where only restricted pods are', () => {
  const { securityContext, containers } = deploymentOf().spec.template.spec;
  expect(containers.map(({ image, args }) => [image, args[0]])).toEqual([[IMAGE, 'hub']]);
  expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(containers[0]?.securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  });
});

test('it may read what inventory and prune read, and change nothing', () => {
  const objects = hubManifests(options) as unknown as {
    kind: string;
    rules?: { verbs: string[] }[];
    roleRef?: object;
  }[];
  const verbs = objects.flatMap(({ rules }) => rules ?? []).flatMap((rule) => rule.verbs);
  expect([...new Set(verbs)].sort()).toEqual(['get', 'list', 'watch']);
  expect(PERMISSIONS.inventory.scope).toBe('cluster');
  const bindings = objects.filter(({ kind }) => kind === 'ClusterRoleBinding');
  expect(bindings.map(({ roleRef }) => roleRef)).toMatchObject([{ name: 'inlay-inventory' }, { name: 'inlay-prune' }]);
});

test('its ledger is a volume of its own, or Postgres, whose address comes from a Secret alone', () => {
  const kinds = (more: object = {}) => hubManifests({ ...options, ...more }).map(({ kind }) => kind);
  expect(kinds()).toContain('PersistentVolumeClaim');
  expect(kinds({ databaseSecret: 'ledger' })).not.toContain('PersistentVolumeClaim');
  const env = deploymentOf({ databaseSecret: 'ledger' }).spec.template.spec.containers[0]?.env;
  expect(env?.find(({ name }) => name === 'INLAY_DATABASE')).toMatchObject({
    valueFrom: { secretKeyRef: { name: 'ledger', key: 'url' } },
  });
});

test('whoever asks it needs the token of a Secret: it does not listen on loopback', () => {
  const env = deploymentOf().spec.template.spec.containers[0]?.env;
  expect(env?.find(({ name }) => name === 'INLAY_HUB_TOKEN')).toMatchObject({
    valueFrom: { secretKeyRef: expect.anything() },
  });
});
