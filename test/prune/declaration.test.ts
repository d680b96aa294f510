// What committed files say of pruning, the CronJob that is made of it, and the command that reads them.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { joined, lockUses, mountedDeclaration, pruneObjects, readDeclaration } from '../../src/prune/index.ts';
import { endOf } from '../end-of.ts';

const ROOT = join(import.meta.dir, '..', '..');
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-declaration-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

test('inlay.yaml declares its own repository; without clusters nobody has declared it', async () => {
  const project = 'name: iris\nversion: "1"\nmodel: m.onnx\nimage: localhost:5000/ml/iris\n';
  const path = file('inlay.yaml', `${project}prune: {clusters: [a], keepLast: 5, grace: 12h, keepTags: ["prod-*"]}\n`);
  expect((await readDeclaration(dir)).targets).toEqual([
    {
      repository: 'localhost:5000/ml/iris',
      policy: { keepLast: 5, graceMs: 43_200_000, keepTags: ['prod-*'] },
      clusters: ['a'],
      declaredIn: path,
    },
  ]);
  file('inlay.yaml', project);
  expect((await readDeclaration(path)).targets[0]).toMatchObject({
    policy: { keepLast: 3, graceMs: 30 * 86_400_000 },
    clusters: undefined,
    declaredIn: undefined,
  });
});

test('a file of several repositories: what stands beside them holds for each that does not say otherwise', async () => {
  const path = file(
    'prune.yaml',
    'clusters: [a]\nkeepLast: 4\nlocks: [pinned.lock]\nrepositories:\n  r.example/ml/a:\n  r.example/ml/b: {clusters: [], grace: 1d}\n',
  );
  // What it pins would be lost.
  expect(await readDeclaration(path).catch(({ code }) => code)).toBe('FILE_NOT_FOUND');
  file('pinned.lock', 'schemaVersion: 1\n');
  const { targets, locks } = await readDeclaration(path);
  expect(
    targets.map(({ repository, clusters, policy }) => [repository, clusters, policy.keepLast, policy.graceMs]),
  ).toEqual([
    ['r.example/ml/a', ['a'], 4, 30 * 86_400_000],
    ['r.example/ml/b', [], 4, 86_400_000],
  ]);
  expect(locks).toEqual([join(dir, 'pinned.lock')]);
});

test('mistakes are told with their line', async () => {
  const path = file('wrong.yaml', 'clusters: [a]\nrepositories:\n  r.example/ml/a: {keepLast: 0}\n');
  expect(await readDeclaration(path).catch(({ code, message }) => [code, message])).toMatchObject([
    'CONFIG_INVALID',
    expect.stringContaining('wrong.yaml:3:'),
  ]);
  const named = file('tagged.yaml', 'repositories: {"r.example/ml/a:1.0": {}}\n');
  expect(await readDeclaration(named).catch(({ code }) => code)).toBe('REFERENCE_INVALID');
});

test('a lock keeps the images that it pins, by digest and by tag', async () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const lock = file(
    'inlay.lock',
    `schemaVersion: 1\nbaseImages: {"r.example/base:1": "${digest}"}\nserverImage: {reference: "r.example/ml/server:2", digest: "${digest}"}\n`,
  );
  expect(
    (await lockUses([lock, join(dir, 'none.lock')])).map(({ code, digest: one, tag }) => [code, one ?? tag]),
  ).toEqual([
    ['LOCKED', digest],
    ['LOCKED', { repository: 'base', tag: '1' }],
    ['LOCKED', digest],
    ['LOCKED', { repository: 'ml/server', tag: '2' }],
  ]);
});

const target = {
  repository: 'r.example/ml/iris',
  policy: { keepLast: 3, graceMs: 86_400_000, keepTags: ['prod-*'] },
  clusters: ['uid'],
  declaredIn: 'prune.yaml',
};
const options = {
  namespace: 'inlay',
  image: `r.example/ml/inlay@sha256:${'0'.repeat(64)}`,
  schedule: '0 3 * * *',
  declaration: {},
  acts: false,
  imagePullSecrets: [],
  insecureRegistries: [],
};

interface CronJob {
  spec: {
    schedule: string;
    concurrencyPolicy: string;
    jobTemplate: {
      spec: {
        template: {
          spec: {
            serviceAccountName: string;
            securityContext: object;
            containers: { args: string[]; securityContext: object; env: { name: string; value?: string }[] }[];
            volumes: { name: string; secret?: { secretName: string } }[];
          };
        };
      };
    };
  };
}
const cronJobOf = (more: object = {}) =>
  pruneObjects({ ...options, ...more }).find(({ kind }) => kind === 'CronJob') as unknown as CronJob;

test('the CronJob plans, and deletes only where that was asked; it is admitted where only restricted pods are', () => {
  const { spec } = cronJobOf();
  expect([spec.schedule, spec.concurrencyPolicy]).toEqual(['0 3 * * *', 'Forbid']);
  const { containers, securityContext, serviceAccountName } = spec.jobTemplate.spec.template.spec;
  expect(containers[0]?.args).not.toContain('--yes');
  expect(cronJobOf({ acts: true }).spec.jobTemplate.spec.template.spec.containers[0]?.args).toContain('--yes');
  expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(containers[0]?.securityContext).toMatchObject({
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(serviceAccountName).toBe('inlay-prune');
});

test('its ConfigMap says what the files said; what it has seen outlives it; secrets are mounted, never written', async () => {
  const pinned = `sha256:${'1'.repeat(64)}`;
  const server = { reference: 'r.example/ml/server:1', digest: pinned };
  const lock = file('pins.lock', JSON.stringify({ schemaVersion: 1, serverImage: server }));
  const none = file('empty.lock', JSON.stringify({ schemaVersion: 1 }));
  const locks = [join(dir, 'absent.lock'), none, lock];
  const declaration = await mountedDeclaration({ targets: [target], locks });
  const objects = pruneObjects({ ...options, declaration, registrySecret: 'login', kubeconfigSecret: 'clusters' });
  const config = objects.find(({ kind }) => kind === 'ConfigMap') as unknown as { data: Record<string, string> };
  expect(parse(config.data['prune.yaml'] as string)).toMatchObject({
    repositories: { 'r.example/ml/iris': { clusters: ['uid'], keepLast: 3, grace: '86400s', keepTags: ['prod-*'] } },
  });
  // As its pod reads it.
  const paths = Object.entries(config.data).map(([name, text]) => file(name, text));
  expect(paths).toHaveLength(2);
  const read = await readDeclaration(join(dir, 'prune.yaml'));
  expect(read.targets).toEqual([{ ...target, declaredIn: join(dir, 'prune.yaml') }]);
  expect((await lockUses(read.locks)).map(({ digest, tag }) => digest ?? tag?.tag)).toEqual([pinned, '1']);
  expect(objects.map(({ kind }) => kind)).toContain('PersistentVolumeClaim');
  const { volumes } = cronJobOf({ registrySecret: 'login' }).spec.jobTemplate.spec.template.spec;
  expect(volumes.find(({ name }) => name === 'registry')?.secret?.secretName).toBe('login');
});

test('two projects of one repository: what either keeps stays, and one that declares no clusters undeclares it', () => {
  const own = { keepLast: 9, graceMs: 1, keepTags: ['v*'] };
  const other = { ...target, policy: own, clusters: ['uid', 'second'] };
  const both = joined([
    { targets: [target], locks: ['a.lock'] },
    { targets: [other], locks: ['b.lock'] },
  ]);
  const policy = { keepLast: 9, graceMs: 86_400_000, keepTags: ['prod-*', 'v*'] };
  expect(both).toMatchObject({ targets: [{ policy, clusters: ['uid', 'second'] }], locks: ['a.lock', 'b.lock'] });
  const undeclared = { ...other, clusters: undefined, declaredIn: undefined };
  expect(joined([{ targets: [target, undeclared], locks: [] }]).targets[0]?.clusters).toBeUndefined();
});

async function inlay(args: readonly string[]) {
  const child = Bun.spawn([join(ROOT, 'bin', 'inlay'), 'prune', ...args], {
    cwd: dir,
    env: { ...process.env, INLAY_HOME: join(dir, 'home'), KUBECONFIG: join(dir, 'no-kubeconfig'), HOME: dir },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return endOf(child);
}

test('the command: a plan of an empty store, words that do not exist, a manifest without its image', async () => {
  rmSync(join(dir, 'inlay.yaml'), { force: true });
  const { code, stdout } = await inlay(['--json']);
  expect([code, JSON.parse(stdout).local.freeBytes]).toEqual([0, 0]);
  for (const args of [
    ['--grace', 'long'],
    ['--keep-last', '0'],
    ['--rate', 'x'],
    ['--local', 'r.example/ml/a'],
    ['--manifests'],
  ])
    expect([args, (await inlay([...args, '--json'])).code]).toEqual([args, 2]);
  expect((await inlay(['r.example/ml/a', '--manifests', '--image', 'x'])).code).toBe(1);
});
