import { expect, test } from 'bun:test';
import { PERMISSIONS } from '../../src/cluster/index.ts';
import { hubManifests } from '../../src/inventory/index.ts';

const IMAGE = `registry.example.com/ml/inlay@sha256:${'0'.repeat(64)}`;
const options = { namespace: 'inlay', image: IMAGE, imagePullSecrets: [], insecureRegistries: [] };

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: {
        readonly imagePullSecrets?: readonly { readonly name: string }[];
        readonly securityContext: object;
        readonly containers: readonly {
          readonly image: string;
          readonly args: readonly string[];
          readonly volumeMounts: readonly {
            readonly name: string;
            readonly mountPath: string;
            readonly readOnly?: true;
          }[];
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

test('a hub of another namespace keeps its rights', () => {
  const bindings = (namespace: string) =>
    hubManifests({ ...options, namespace }).flatMap(({ kind, metadata }) =>
      kind === 'ClusterRoleBinding' ? [metadata.name] : [],
    );
  expect(new Set([...bindings('one'), ...bindings('two')]).size).toBe(4);
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

test('declarations of pruning are mounted, and other ones make another pod', () => {
  const declaration = { files: { 'prune.yaml': 'repositories: {}\n' }, path: '/etc/inlay/prune.yaml' };
  const config = hubManifests({ ...options, declaration }).find(({ kind }) => kind === 'ConfigMap');
  expect(config).toMatchObject({ data: declaration.files });
  const { metadata, spec } = deploymentOf({ declaration }).spec.template;
  expect(spec.containers[0]?.args.join(' ')).toContain('--prune /etc/inlay/prune.yaml');
  expect(spec.containers[0]?.volumeMounts).toContainEqual({ name: 'config', mountPath: '/etc/inlay', readOnly: true });
  const other = deploymentOf({ declaration: { ...declaration, files: { 'prune.yaml': '' } } }).spec.template.metadata;
  expect(other.annotations).not.toEqual(metadata.annotations);
  expect(deploymentOf().spec.template.spec.containers[0]?.args).not.toContain('--prune');
});

test('logins and further clusters come from Secrets, as files', () => {
  const secrets = { registrySecret: 'login', kubeconfigSecret: 'clusters', imagePullSecrets: ['pull'] };
  const { containers, imagePullSecrets } = deploymentOf(secrets).spec.template.spec;
  const [{ env, volumeMounts } = { env: [], volumeMounts: [] }] = containers;
  const place = (name: string) => volumeMounts.find((one) => one.name === name)?.mountPath ?? '';
  expect(env).toContainEqual({ name: 'DOCKER_CONFIG', value: place('registry') });
  expect(env).toContainEqual({ name: 'KUBECONFIG', value: `${place('clusters')}/config` });
  expect(imagePullSecrets).toEqual([{ name: 'pull' }]);
});
