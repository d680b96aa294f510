import { expect, test } from 'bun:test';
import { releaseJobOf, releaserObjects } from '../../../src/cluster/detach/index.ts';
import { PERMISSIONS } from '../../../src/cluster/index.ts';

const job = {
  service: 'iris',
  namespace: 'ml',
  release: 7,
  image: `registry.example.com/ml/inlay@sha256:${'0'.repeat(64)}`,
  imagePullSecrets: ['pull'],
  actor: 'ada@laptop',
};

test('a release Job goes on with the journal of its service in inlay’s own image', () => {
  const { metadata, spec } = releaseJobOf(job);
  const pod = spec?.template.spec;
  expect([metadata.name, metadata.namespace]).toEqual(['inlay-iris-7', 'ml']);
  expect(pod?.containers.map(({ image, args }) => [image, args])).toEqual([
    [job.image, ['resume', 'iris', '--namespace', 'ml']],
  ]);
  expect(pod?.imagePullSecrets).toEqual([{ name: 'pull' }]);
  expect(pod?.containers[0]?.env).toContainEqual({ name: 'INLAY_ACTOR', value: 'ada@laptop' });
});

test('it takes over fields of other tools where the release was asked to', () => {
  const [container] = releaseJobOf({ ...job, forceConflicts: true }).spec?.template.spec?.containers ?? [];
  expect(container?.args).toContain('--force-conflicts');
});

test('its pods are no pods of the service: a Service would send them requests', () => {
  const { spec } = releaseJobOf(job);
  expect(spec?.template.metadata?.labels).not.toHaveProperty('app.kubernetes.io/name');
  expect(spec?.template.metadata?.labels).not.toHaveProperty('inlay/role');
});

test('a verdict against the canary ends it, a drained node does not', () => {
  expect(releaseJobOf(job).spec?.podFailurePolicy?.rules).toEqual([
    { action: 'FailJob', onExitCodes: { containerName: 'inlay', operator: 'In', values: [1] } },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ]);
});

test('it is admitted where only restricted pods are', () => {
  const pod = releaseJobOf(job).spec?.template.spec;
  expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(pod?.containers[0]?.securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  });
});

test('who it is, may do what deploy may do in its namespace, and nothing more', () => {
  const [account, role, binding] = releaserObjects('ml') as unknown as [
    { kind: string },
    { kind: string; rules: { resources: string[]; apiGroups: string[]; verbs: string[] }[] },
    { kind: string; roleRef: unknown; subjects: unknown },
  ];
  expect([account.kind, role.kind, binding.kind]).toEqual(['ServiceAccount', 'Role', 'RoleBinding']);
  const told = role.rules.flatMap(({ apiGroups, resources, verbs }) =>
    resources.map((resource) => {
      const [name, part] = resource.split('/');
      const group = apiGroups[0] === '' ? '' : `.${apiGroups[0]}`;
      return [`${name}${group}${part ? `/${part}` : ''}`, verbs.join(' ')];
    }),
  );
  expect(Object.fromEntries(told)).toEqual({ ...PERMISSIONS.deploy.permissions });
  expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: 'inlay-deploy', namespace: 'ml' }]);
});
