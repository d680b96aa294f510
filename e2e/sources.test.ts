// Models from where others keep them: a real MLflow server's runs and registry, and OCI artifacts in real registries.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeImage, hostPlatform, OciLayout, storeDir } from '../src/image/index.ts';
import type { ReleaseSummary } from '../src/release/index.ts';
import { ROOT, run } from './inlay.ts';
import { type MlflowServer, startMlflow } from './mlflow/server.ts';
import { startCraneRegistry, startDockerRegistry } from './registries.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const EXAMPLE = join(ROOT, 'examples', 'iris');
const MODEL = join(EXAMPLE, 'models', 'iris_svc.onnx');
const PASSWORD = 'kept-to-itself-4711';

let dir: string;
let mlflow: MlflowServer;
let runId: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-sources-'));
  mlflow = await startMlflow();
  runId = await mlflow.logModel(MODEL);
}, 600_000);
afterAll(async () => {
  await mlflow?.stop();
  rmSync(dir, { recursive: true, force: true });
}, 30_000);

/** A project whose model lies elsewhere. */
function project(name: string, source: string, model = 'model/model.onnx'): string {
  const folder = join(dir, name);
  mkdirSync(folder);
  cpSync(join(EXAMPLE, 'inlay.lock'), join(folder, 'inlay.lock'));
  cpSync(join(EXAMPLE, 'golden.json'), join(folder, 'golden.json'));
  writeFileSync(
    join(folder, 'inlay.yaml'),
    `name: iris\nversion: "1.0.0"\nmodel: ${model}\nsource: ${source}\ngolden: golden.json\nsample: [[5.1, 3.5, 1.4, 0.2]]\n`,
  );
  return folder;
}

const inlay = (args: readonly string[], env: Record<string, string> = {}) =>
  run([join(ROOT, 'bin', 'inlay'), ...args], { env: { INLAY_HOME: HOME, ...env } });
const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

test('a registered model by its alias, its version and as the latest one; its run', async () => {
  const env = { MLFLOW_TRACKING_URI: mlflow.url };
  for (const [i, source] of [
    'models:/iris@champion',
    'models:/iris/1',
    'models:/iris/latest',
    `runs:/${runId}/model`,
  ].entries()) {
    const folder = project(`of-${i}`, source);
    const first = await inlay(['fetch', folder, '--json'], env);
    expect([first.code, first.stderr]).toEqual([0, '']);
    const found = JSON.parse(first.stdout) as {
      identity: Record<string, string>;
      kept: boolean;
      files: { name: string }[];
    };
    expect(found).toMatchObject({ kept: false, identity: { run: runId, server: mlflow.url } });
    if (source.startsWith('models:')) expect(found.identity).toMatchObject({ model: 'iris', version: '1' });
    expect(found.files.map(({ name }) => name)).toContain('MLmodel');
    // MLflow writes the file anew: what it has is what arrived.
    const model = found.files.find(({ name }) => name === 'model.onnx') as unknown as { digest: string };
    expect(`sha256:${digestOf(join(folder, 'model', 'model.onnx'))}`).toBe(model.digest);
    expect(JSON.parse((await inlay(['fetch', folder, '--json'], env)).stdout).kept).toBe(true);
  }
}, 120_000);

test('release fetches it, and says where from in summary, label and provenance', async () => {
  const folder = project('released', 'models:/iris@champion');
  const args = ['release', folder, '--until', 'golden', '--json'];
  const { code, stdout, stderr } = await inlay(args, { MLFLOW_TRACKING_URI: mlflow.url });
  expect([code, stderr]).toEqual([0, '']);
  const summary = JSON.parse(stdout) as ReleaseSummary;
  const source = { uri: 'models:/iris@champion', model: 'iris', version: '1', alias: 'champion', run: runId };
  expect(summary.from?.source).toMatchObject(source);
  expect(summary.steps.map(({ name, status }) => `${name} ${status}`).slice(0, 2)).toEqual([
    'fetch done',
    // This very contract may have been found good here before.
    expect.stringMatching(/^check (done|kept)$/),
  ]);

  const layout = await OciLayout.open(storeDir(HOME));
  const { manifest, config } = await layout.resolve('iris:1.0.0', hostPlatform(process.arch));
  expect(describeImage(manifest, config).contract?.model.digest).toBe(summary.from?.model.digest);
  expect(JSON.parse(config.config.Labels?.['inlay.source'] ?? '')).toMatchObject(source);
  const inspected = JSON.parse((await inlay(['inspect', 'iris:1.0.0', '--json'])).stdout);
  expect(JSON.stringify(inspected)).toContain(summary.image?.digest ?? 'none');
}, 300_000);

test('what is not there is said, and leaves nothing', async () => {
  const env = { MLFLOW_TRACKING_URI: mlflow.url };
  for (const source of [
    'models:/iris/99',
    'models:/nobody@champion',
    `runs:/${runId}/other`,
    'runs:/0123456789abcdef0123456789abcdef/model',
  ]) {
    const folder = project(`missing-${Bun.hash(source)}`, source);
    const { code, stderr } = await inlay(['fetch', folder], env);
    expect([source, code, stderr.split(':')[0]]).toEqual([source, 3, 'error SOURCE_NOT_FOUND']);
    expect(existsSync(join(folder, 'model', '.inlay-source.json'))).toBe(false);
  }
}, 60_000);

test('a server that asks for logins gets them, and nobody else', async () => {
  const secured = await startMlflow({ username: 'admin', password: PASSWORD });
  try {
    await secured.logModel(MODEL);
    const env = {
      MLFLOW_TRACKING_URI: secured.url,
      MLFLOW_TRACKING_USERNAME: 'admin',
      MLFLOW_TRACKING_PASSWORD: PASSWORD,
    };
    const folder = project('secured', 'models:/iris@champion');
    const wrong = await inlay(['fetch', folder], { ...env, MLFLOW_TRACKING_PASSWORD: `${PASSWORD}x` });
    expect([wrong.code, wrong.stderr.split(':')[0]]).toEqual([3, 'error SOURCE_UNAUTHORIZED']);
    expect(wrong.stderr).not.toContain(PASSWORD);
    const right = await inlay(['fetch', folder, '--json'], env);
    expect(right.code).toBe(0);
    const url = secured.url.replace('://', `://admin:${PASSWORD}@`);
    rmSync(join(folder, 'model'), { recursive: true });
    const inUrl = await inlay(['fetch', folder, '--json'], { MLFLOW_TRACKING_URI: url });
    expect(inUrl.code).toBe(0);
    expect(
      right.stdout + inUrl.stdout + readFileSync(join(folder, 'model', '.inlay-source.json'), 'utf8'),
    ).not.toContain(PASSWORD);
  } finally {
    await secured.stop();
  }
}, 300_000);

for (const [name, start] of [
  ['docker-registry', () => startDockerRegistry()],
  ['go-containerregistry', () => startCraneRegistry()],
] as const) {
  test(`an OCI artifact of files, in ${name}`, async () => {
    const registry = await start();
    try {
      const digest = await pushArtifact(registry.host, 'ml/iris-onnx', '3', {
        'iris.onnx': readFileSync(MODEL),
        'README.md': Buffer.from('# iris\n'),
      });
      const folder = project(`oci-${name}`, `oci://${registry.host}/ml/iris-onnx:3`, 'model/iris.onnx');
      const { code, stdout, stderr } = await inlay(['fetch', folder, '--json']);
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toMatchObject({ kept: false, identity: { digest } });
      expect(digestOf(join(folder, 'model', 'iris.onnx'))).toBe(digestOf(MODEL));
      // The next one has other files: those of the last are not left beside it.
      await pushArtifact(registry.host, 'ml/iris-onnx', '3', { 'iris.onnx': readFileSync(MODEL) });
      expect(JSON.parse((await inlay(['fetch', folder, '--json'])).stdout).kept).toBe(false);
      expect(existsSync(join(folder, 'model', 'README.md'))).toBe(false);
      expect(JSON.parse((await inlay(['fetch', folder, '--json'])).stdout).kept).toBe(true);
      const escaping = project(`oci-escaping-${name}`, `oci://${registry.host}/ml/iris-onnx:4`, 'model/iris.onnx');
      await pushArtifact(registry.host, 'ml/iris-onnx', '4', { '../iris.onnx': readFileSync(MODEL) });
      const refused = await inlay(['fetch', escaping]);
      expect([refused.code, refused.stderr.split(':')[0]]).toEqual([2, 'error SOURCE_INVALID']);
      expect(existsSync(join(escaping, 'iris.onnx'))).toBe(false);
    } finally {
      await registry.stop();
    }
  }, 120_000);
}

/** As `oras push` does: a layer a file, titled, an empty config (image-spec, "Guidelines for Artifact Usage"). */
async function pushArtifact(
  host: string,
  repository: string,
  tag: string,
  files: Record<string, Uint8Array>,
): Promise<string> {
  const base = `http://${host}/v2/${repository}`;
  const put = async (bytes: Uint8Array, mediaType: string) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    const to = new URL(begun.headers.get('location') ?? '', base);
    to.searchParams.set('digest', digest);
    const done = await fetch(to, {
      method: 'PUT',
      body: new Uint8Array(bytes),
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(done.status).toBe(201);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const layers = [];
  for (const [title, bytes] of Object.entries(files))
    layers.push({
      ...(await put(bytes, 'application/octet-stream')),
      annotations: { 'org.opencontainers.image.title': title },
    });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.example.model',
      config: await put(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json'),
      layers,
    }),
  );
  const response = await fetch(`${base}/manifests/${tag}`, {
    method: 'PUT',
    body: manifest,
    headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
  });
  expect(response.status).toBe(201);
  return `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
}
