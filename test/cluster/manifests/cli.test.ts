// The command as a person or a pipeline meets it.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readProject } from '../../../src/contract/index.ts';
import { MEDIA_TYPE, OciLayout } from '../../../src/image/index.ts';
import { endOf } from '../../end-of.ts';
import { DIGEST } from '../plans.ts';

// Other tests may have the processors.
setDefaultTimeout(60_000);

const ROOT = join(import.meta.dir, '..', '..', '..');
const IMAGE = `registry.example.com/ml/iris:0.0.1@${DIGEST}`;

let dir: string;
let project: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-manifests-'));
  project = join(dir, 'iris');
  cpSync(join(ROOT, 'examples', 'iris'), project, { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function inlay(...args: string[]) {
  const child = Bun.spawn([process.execPath, '--no-env-file', join(ROOT, 'src', 'cli', 'main.ts'), ...args], {
    cwd: dir,
    env: { PATH: process.env.PATH ?? '', HOME: dir, INLAY_HOME: join(dir, 'home') },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return endOf(child);
}

/** Adds lines to inlay.yaml. */
function write(text: string) {
  writeFileSync(join(project, 'inlay.yaml'), `${readFileSync(join(project, 'inlay.yaml'), 'utf8')}${text}`);
}

/** Puts into the store what inlay build would have named. */
async function built(reference: string, modelDigest?: string): Promise<string> {
  const layout = await OciLayout.open(join(dir, 'home', 'oci'));
  const { contract } = await readProject(project);
  const manifests = [];
  for (const architecture of ['amd64', 'arm64']) {
    const Labels = {
      'org.opencontainers.image.title': contract.name,
      'org.opencontainers.image.version': contract.version,
      'inlay.version': '0.1.0',
      'inlay.task': contract.task,
      'inlay.model.digest': modelDigest ?? contract.model.digest,
      'inlay.inputs': JSON.stringify(contract.inputs),
      'inlay.outputs': JSON.stringify(contract.outputs),
      'inlay.os': 'debian 12',
      'inlay.libraries': '{}',
    };
    const config = await layout.putJson(
      { architecture, os: 'linux', config: { Labels }, rootfs: { type: 'layers', diff_ids: [] } },
      MEDIA_TYPE.config,
    );
    const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [] };
    manifests.push({
      ...(await layout.putJson(manifest, MEDIA_TYPE.manifest)),
      platform: { architecture, os: 'linux' },
    });
  }
  const index = await layout.putJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }, MEDIA_TYPE.index);
  await layout.tag(reference, index);
  return index.digest;
}

test('stdout is YAML that names the built image by tag and digest', async () => {
  write('image: registry.example.com/ml/iris\n');
  const digest = await built('registry.example.com/ml/iris:0.0.1');
  const { code, stdout, stderr } = await inlay('manifests', 'iris');
  expect([code, stderr]).toEqual([0, '']);
  const documents = parseAllDocuments(stdout);
  if (!Array.isArray(documents)) throw new Error('no documents');
  const deployment = documents.map((one) => one.toJS()).find(({ kind }) => kind === 'Deployment');
  expect(deployment.spec.template.spec.containers[0].image).toBe(`registry.example.com/ml/iris:0.0.1@${digest}`);
  expect(deployment.metadata.namespace).toBe('iris');
  expect(stdout).toContain('# No replicas, on purpose');
});

test('--json is a List that kubectl takes', async () => {
  const { code, stdout, stderr } = await inlay('manifests', 'iris', '--image', IMAGE, '--json');
  expect([code, stderr]).toEqual([0, '']);
  const list = JSON.parse(stdout);
  expect([list.apiVersion, list.kind, list.items.length]).toEqual(['v1', 'List', 7]);
});

test('an environment, a namespace and a namespace of somebody else', async () => {
  const text = readFileSync(join(project, 'inlay.yaml'), 'utf8');
  const environments = '  environments: {staging: {namespace: iris-staging, replicas: {initial: 1, min: 1}}}\n';
  writeFileSync(join(project, 'inlay.yaml'), text.replace('  targetCpu: 50\n', `  targetCpu: 50\n${environments}`));
  const items = async (...args: string[]) =>
    JSON.parse((await inlay('manifests', 'iris', '--image', IMAGE, '--json', ...args)).stdout).items;
  const staging = await items('--env', 'staging');
  expect(staging[1].metadata.namespace).toBe('iris-staging');
  expect(staging.at(-1).spec.minReplicas).toBe(1);
  const other = await items('--env', 'staging', '-n', 'else', '--skip-namespace');
  expect(other[0]).toMatchObject({ kind: 'ServiceAccount', metadata: { namespace: 'else' } });
  expect((await inlay('manifests', 'iris', '--image', IMAGE, '--env', 'prod')).code).toBe(2);
  expect((await inlay('manifests', 'iris', '--image', IMAGE, '-n', 'No')).code).toBe(2);
});

test('--output writes a folder that can be written again, and leaves out what is gone', async () => {
  const write = () => inlay('manifests', 'iris', '--image', IMAGE, '--output', 'deploy/k8s');
  expect((await write()).code).toBe(0);
  const k8s = join(dir, 'deploy', 'k8s');
  const read = () => Object.fromEntries(readdirSync(k8s).map((name) => [name, readFileSync(join(k8s, name), 'utf8')]));
  const first = read();
  expect(Object.keys(first).sort()).toEqual([
    'deployment.yaml',
    'horizontalpodautoscaler.yaml',
    'kustomization.yaml',
    'namespace.yaml',
    'networkpolicy.yaml',
    'poddisruptionbudget.yaml',
    'service.yaml',
    'serviceaccount.yaml',
  ]);
  expect((await write()).code).toBe(0);
  expect(read()).toEqual(first);
  const text = readFileSync(join(project, 'inlay.yaml'), 'utf8');
  writeFileSync(join(project, 'inlay.yaml'), text.replace('  targetCpu: 50', '  networkPolicy: false'));
  expect((await write()).code).toBe(0);
  expect(Object.keys(read())).not.toContain('networkpolicy.yaml');
  expect(read()['kustomization.yaml']).not.toContain('networkpolicy');
  expect(readdirSync(join(dir, 'deploy'))).toEqual(['k8s']);
});

test('a folder with something of a person’s own is left as it is', async () => {
  mkdirSync(join(dir, 'k8s'));
  writeFileSync(join(dir, 'k8s', 'kustomization.yaml'), 'resources: []\n');
  const { code, stderr } = await inlay('manifests', 'iris', '--image', IMAGE, '--output', 'k8s');
  expect([code, stderr]).toEqual([2, expect.stringContaining('error USAGE')]);
  expect(readdirSync(join(dir, 'k8s'))).toEqual(['kustomization.yaml']);
  await inlay('manifests', 'iris', '--image', IMAGE, '--output', 'mine');
  writeFileSync(join(dir, 'mine', 'patch.yaml'), '');
  expect((await inlay('manifests', 'iris', '--image', IMAGE, '--output', 'mine')).code).toBe(2);
  expect(existsSync(join(dir, 'mine', 'patch.yaml'))).toBe(true);
  writeFileSync(join(dir, 'file'), '');
  expect((await inlay('manifests', 'iris', '--image', IMAGE, '--output', 'file')).code).toBe(2);
});

test('an image that no node can pull, that can be moved, or that is of another model is refused', async () => {
  const codeOf = async (...args: string[]) => {
    const { code, stdout, stderr } = await inlay('manifests', 'iris', '--json', ...args);
    expect(stdout).toBe('');
    return [code, JSON.parse(stderr).error.code];
  };
  expect(await codeOf()).toEqual([3, 'IMAGE_NOT_FOUND']);
  await built('iris:0.0.1');
  expect(await codeOf()).toEqual([2, 'REFERENCE_INVALID']);
  expect(await codeOf('--image', 'registry.example.com/ml/iris:0.0.1')).toEqual([2, 'REFERENCE_INVALID']);
  write('image: registry.example.com/ml/iris\n');
  await built('registry.example.com/ml/iris:0.0.1', `sha256:${'0'.repeat(64)}`);
  expect(await codeOf()).toEqual([1, 'IMAGE_OUTDATED']);
});

test('--roles prints what commands need, in no project', async () => {
  const { code, stdout } = await inlay('manifests', '--roles', 'deploy,status', '-n', 'ml', '--json');
  expect(code).toBe(0);
  const { items } = JSON.parse(stdout);
  expect(
    items.map(({ kind, metadata }: { kind: string; metadata: { name: string; namespace?: string } }) => [
      kind,
      metadata.name,
      metadata.namespace,
    ]),
  ).toEqual([
    ['Role', 'inlay-deploy', 'ml'],
    ['Role', 'inlay-status', 'ml'],
    ['ClusterRole', 'inlay-nodes', undefined],
  ]);
  const wrong = await inlay('manifests', '--roles', 'depoly');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean deploy?')]);
});
