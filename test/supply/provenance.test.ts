import { afterEach, beforeEach, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Project, readProject } from '../../src/contract/index.ts';
import { OciLayout, referrersInLayout } from '../../src/image/index.ts';
import { attachStatements } from '../../src/supply/index.ts';
import { image } from './world.ts';

const MODEL = join(import.meta.dir, '..', 'data', 'reference', 'iris_svc.onnx');
let dir: string;
let layout: OciLayout;
let project: Project;
const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CEILING_DIRECTORIES: tmpdir() };

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-provenance-'));
  mkdirSync(join(dir, 'project'));
  copyFileSync(MODEL, join(dir, 'project', 'iris.onnx'));
  writeFileSync(join(dir, 'project', 'inlay.yaml'), 'name: iris\nversion: "0.0.1"\nmodel: iris.onnx\n');
  layout = await OciLayout.open(join(dir, 'oci'));
  project = await readProject(join(dir, 'project'));
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Part {
  name?: string;
  uri?: string;
  digest?: Record<string, string>;
  annotations?: Record<string, unknown>;
}
interface Told {
  subject: { digest: { sha256: string } }[];
  predicateType: string;
  predicate: {
    buildDefinition: { buildType: string; externalParameters: unknown; resolvedDependencies: Part[] };
    runDetails: { byproducts: Part[] };
  };
}

async function statement(reference = 'iris:0.0.1'): Promise<Told & { bytes: string }> {
  const built = await image(layout, reference, { platforms: ['amd64', 'arm64'] });
  const told = { compression: 'zstd', epochS: 0, inlayVersion: '0.1.0', env };
  const { provenance } = await attachStatements({ layout, project, built, ...told });
  const manifest = JSON.parse(readFileSync(layout.blobPath(provenance[0] as string), 'utf8'));
  const bytes = readFileSync(layout.blobPath(manifest.layers[0].digest), 'utf8');
  return { ...(JSON.parse(bytes) as Told), bytes };
}
const part = (told: Told, name: string) =>
  told.predicate.buildDefinition.resolvedDependencies.find((one) => one.name === name);
async function git(...args: string[]): Promise<string> {
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
  const child = Bun.spawn(['git', ...who, ...args], { cwd: project.dir, env, stdout: 'pipe', stderr: 'ignore' });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return text.trim();
}

test('says from what an image was built, and is the same for the same inputs', async () => {
  const told = await statement();
  expect(told.predicateType).toBe('https://slsa.dev/provenance/v1');
  expect(told.subject.length).toBe(3);
  expect(told.predicate.buildDefinition).toMatchObject({
    buildType: 'urn:inlay:build:v1',
    externalParameters: {
      project: { name: 'iris', version: '0.0.1', model: 'iris.onnx' },
      platforms: ['linux/amd64', 'linux/arm64'],
      compression: 'zstd',
    },
  });
  const { digest } = project.contract.model;
  expect(part(told, 'model')).toEqual({ name: 'model', uri: 'iris.onnx', digest: { sha256: digest.slice(7) } });
  const uris = told.predicate.buildDefinition.resolvedDependencies.map((one) => one.uri);
  expect(uris).toContain('pkg:npm/%40oven/bun-linux-x64@1.4.5');
  expect(uris.filter((uri) => uri?.includes('tzdata')).length).toBe(1);
  expect(told.predicate.runDetails.byproducts.map((one) => one.name)).toEqual(['sbom linux/amd64', 'sbom linux/arm64']);
  expect([part(told, 'source'), part(told, 'mlflow-run')]).toEqual([undefined, undefined]);
  expect((await statement()).bytes).toBe(told.bytes);
});

test('names the git commit, whether the folder differs from it, and the remote without its login', async () => {
  await git('init', '-q');
  await git('add', '.');
  await git('commit', '-qm', 'first');
  await git('remote', 'add', 'origin', 'https://me:t0ken@git.example.org/team/iris.git');
  const clean = await statement();
  const commit = await git('rev-parse', 'HEAD');
  const uri = 'git+https://git.example.org/team/iris.git';
  expect(part(clean, 'source')).toEqual({
    name: 'source',
    uri,
    digest: { gitCommit: commit },
    annotations: { dirty: false },
  });
  expect(clean.bytes).not.toContain('t0ken');
  writeFileSync(join(project.dir, 'new.txt'), 'x');
  expect(part(await statement(), 'source')?.annotations).toEqual({ dirty: true });
  await git('remote', 'set-url', 'origin', 'git@git.example.org:team/iris.git');
  expect(part(await statement(), 'source')?.uri).toBe('git+ssh://git.example.org/team/iris.git');
});

test('a file watcher that the repository asks for is not run', async () => {
  await git('init', '-q');
  await git('add', '.');
  await git('commit', '-qm', 'first');
  await git('config', 'core.fsmonitor', `touch ${join(dir, 'ran')}; false`);
  await statement();
  expect(await Bun.file(join(dir, 'ran')).exists()).toBe(false);
});

test("names the MLflow run where the model's folder is one that MLflow wrote", async () => {
  writeFileSync(
    join(project.dir, 'MLmodel'),
    'flavors: {onnx: {data: iris.onnx}}\nmlflow_version: 3.1.0\nrun_id: 0f1e2d\n',
  );
  expect(part(await statement(), 'mlflow-run')).toEqual({
    name: 'mlflow-run',
    uri: 'urn:mlflow:run:0f1e2d',
    annotations: { mlflowVersion: '3.1.0' },
  });
});

test('each platform has an SBOM, each manifest and the index one provenance, however often it is built', async () => {
  const built = await image(layout, 'iris:0.0.1', { platforms: ['amd64', 'arm64'] });
  await statement();
  writeFileSync(join(project.dir, 'MLmodel'), 'flavors: {onnx: {data: iris.onnx}}\nrun_id: abc\n');
  await statement();
  const types = async (digest: string) =>
    (await referrersInLayout(layout, digest)).map((one) => one.artifactType).toSorted();
  expect(await types(built.index.digest)).toEqual(['application/vnd.in-toto+json']);
  for (const { manifest } of built.materials)
    expect(await types(manifest.digest)).toEqual(['application/vnd.cyclonedx+json', 'application/vnd.in-toto+json']);
});
