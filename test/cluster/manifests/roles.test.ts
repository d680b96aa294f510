import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { CLUSTER_COMMANDS, NODES, PERMISSIONS, rolesOf } from '../../../src/cluster/index.ts';

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

test('no command may do everything, read a Secret, run something in a pod or give rights away', () => {
  for (const command of CLUSTER_COMMANDS) {
    for (const [resource, verbs] of Object.entries(PERMISSIONS[command].permissions)) {
      expect([resource, verbs.split(' ').filter((verb) => !VERBS.includes(verb))]).toEqual([resource, []]);
      expect(resource).not.toMatch(/secrets|pods\/exec|pods\/attach|rbac|\*/);
    }
  }
});

test('what reads, changes nothing; what reads the whole cluster, opens no connection', () => {
  const changing = ['create', 'update', 'patch', 'delete'];
  for (const command of ['status', 'history', 'logs', 'forward', 'verdict', 'inventory', 'prune'] as const) {
    const changed = Object.entries(PERMISSIONS[command].permissions).filter(
      ([resource, verbs]) =>
        resource !== 'pods/portforward' && verbs.split(' ').some((verb) => changing.includes(verb)),
    );
    expect([command, changed]).toEqual([command, []]);
    if (PERMISSIONS[command].scope === 'cluster')
      expect(Object.keys(PERMISSIONS[command].permissions).filter((name) => name.includes('/'))).toEqual([]);
  }
});

test('rules are RBAC’s: group, resource and subresource, verbs', () => {
  const [role] = rolesOf(['deploy'], 'ml') as { rules?: object[] }[];
  expect(role).toMatchObject({ kind: 'Role', metadata: { name: 'inlay-deploy', namespace: 'ml' } });
  expect(role?.rules).toContainEqual({
    apiGroups: ['apps'],
    resources: ['deployments/scale'],
    verbs: ['get', 'update', 'patch'],
  });
  expect(JSON.stringify(role?.rules)).toContain('"apiGroups":["gateway.networking.k8s.io"],"resources":["httproutes"]');
});

test('releases come with the optional ClusterRole for nodes and namespaces, reading commands do not', () => {
  const kinds = (command: 'deploy' | 'status' | 'inventory') =>
    rolesOf([command], undefined).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect(kinds('deploy')).toEqual(['Role inlay-deploy', 'ClusterRole inlay-nodes']);
  expect(kinds('status')).toEqual(['Role inlay-status']);
  expect(kinds('inventory')).toEqual(['ClusterRole inlay-inventory']);
});

test('docs/permissions.md has the table as the code has it', async () => {
  const text = await Bun.file(join(import.meta.dir, '../../../docs/permissions.md')).text();
  const told = [...text.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, resource, cells]) => [
    resource,
    ...(cells ?? '').split('|').map((cell) => cell.trim()),
  ]);
  const columns = [
    'status',
    'history',
    'logs',
    'forward',
    'verdict',
    'deploy',
    'detach',
    'inventory',
    'prune',
  ] as const;
  const resources = [...new Set(columns.flatMap((command) => Object.keys(PERMISSIONS[command].permissions)))].sort();
  expect(told).toEqual(
    [...resources, ...Object.keys(NODES).filter((name) => !resources.includes(name))]
      .sort()
      .map((resource) => [
        resource,
        ...columns.map((command) => PERMISSIONS[command].permissions[resource] ?? ''),
        NODES[resource] ?? '',
      ]),
  );
  for (const command of ['promote', 'abort', 'rollback', 'resume', 'release'] as const)
    expect(PERMISSIONS[command]).toEqual(PERMISSIONS.deploy);
});
