// Images into real registries and back, looked at by tools that no one here wrote.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachReferrer, listReferrers, parseReference, Registry } from '../src/registry/index.ts';
import { besidesReferrers } from './besides-referrers.ts';
import { crane } from './go-programs.ts';
import { must, ROOT, run } from './inlay.ts';
import {
  type Counted,
  countRequests,
  type Login,
  type RunningRegistry,
  startCraneRegistry,
  startDockerRegistry,
} from './registries.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const INLAY = join(ROOT, 'bin', 'inlay');
const LOGIN: Login = { username: 'ci', password: 'pässword:with/all@of it' };

interface Pushed {
  reference: string;
  digest: string;
  uploaded: string[];
  mounted: string[];
  existing: string[];
  referrers: string[];
  sentBytes: number;
}
interface Built {
  reference: string;
  digest: string;
  push: Pushed;
  platforms: { layers: { kind: string; digest: string; sizeBytes: number }[] }[];
}

let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-registry-'));
  await crane();
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A project on one of two trained models. */
async function project(name: string, version: string, model: 'reference' | 'example', image?: string): Promise<string> {
  const folder = join(dir, `${name}-${version}-${Math.random().toString(36).slice(2)}`);
  mkdirSync(folder);
  const models = { reference: 'test/data/reference/iris_svc.onnx', example: 'examples/iris/models/iris_svc.onnx' };
  cpSync(join(ROOT, models[model]), join(folder, 'iris_svc.onnx'));
  cpSync(join(ROOT, 'test/data/reference/label.json'), join(folder, 'label.json'));
  const where = image === undefined ? '' : `image: ${image}\n`;
  writeFileSync(
    join(folder, 'inlay.yaml'),
    `name: ${name}\nversion: "${version}"\n${where}model: iris_svc.onnx\nlabels: label.json\nsample: [[5.1, 3.5, 1.4, 0.2]]\n`,
  );
  await must([INLAY, 'lock', folder], { env: { INLAY_HOME: HOME } });
  return folder;
}
const json = async <T>(args: readonly string[], env: Record<string, string> = {}): Promise<T> =>
  JSON.parse(await must([INLAY, ...args, '--json'], { env: { INLAY_HOME: HOME, ...env } })) as T;

describe.each([
  ['docker-registry', startDockerRegistry, undefined],
  ['docker-registry with a login', () => startDockerRegistry({ login: LOGIN }), LOGIN],
  ['crane registry serve', startCraneRegistry, undefined],
] as const)('%s', (_, start, login) => {
  let real: RunningRegistry;
  let counter: Awaited<ReturnType<typeof countRequests>>;
  let env: Record<string, string>;
  let image: string;
  let first: Built;

  beforeAll(async () => {
    real = await start();
    counter = await countRequests(real);
    image = `${counter.host}/ml/iris`;
    // A login file for all tools: inlay, skopeo and crane read the same.
    const config = mkdtempSync(join(dir, 'login-'));
    const auth = login && { auth: Buffer.from(`${login.username}:${login.password}`).toString('base64') };
    writeFileSync(
      join(config, 'config.json'),
      JSON.stringify({ auths: auth ? { [counter.host]: auth, [real.host]: auth } : {} }),
    );
    env = { DOCKER_CONFIG: config, REGISTRY_AUTH_FILE: join(config, 'config.json') };
  });
  afterAll(async () => {
    await counter?.stop();
    await real?.stop();
  });

  test('build --push, and other tools find the image whole', async () => {
    const folder = await project('iris', '0.0.1', 'reference', image);
    first = await json<Built>(['build', folder, '--push', '--tag', 'latest'], env);
    expect(first.push.digest).toBe(first.digest);
    expect(first.push.reference).toBe(`${image}:0.0.1@${first.digest}`);
    expect((await must([await crane(), 'digest', '--insecure', `${image}:latest`], { env })).trim()).toBe(first.digest);
    await must([await crane(), 'validate', '--insecure', '--fast', '--remote', `${image}:0.0.1`], { env });
    const told = JSON.parse(
      await must(['skopeo', 'inspect', '--tls-verify=false', `docker://${image}:0.0.1`], { env }),
    ) as { Labels: Record<string, string>; Layers: string[] };
    expect(told.Labels['org.opencontainers.image.title']).toBe('iris');
    expect(told.Layers.length).toBe(4);
    const copied = join(dir, `copied-${counter.host.replace(':', '-')}`);
    const copy = ['skopeo', 'copy', '--all', '--preserve-digests', '--src-tls-verify=false'];
    await must([...copy, `docker://${image}:0.0.1`, `oci:${copied}:x`], { env });
    const index = JSON.parse(readFileSync(join(copied, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
    expect(index.manifests[0]?.digest).toBe(first.digest);
  }, 600_000);

  test('pull into an empty store gives the same digest', async () => {
    const home = mkdtempSync(join(dir, 'home-'));
    const pulled = await json<{ digest: string; downloaded: string[] }>(['pull', `${image}:0.0.1`], {
      ...env,
      INLAY_HOME: home,
    });
    expect(pulled.digest).toBe(first.digest);
    expect(pulled.downloaded.length).toBe(5);
    const inspected = await json<{ digest: string; contract: { name: string } }>(['inspect', `${image}:0.0.1`], {
      ...env,
      INLAY_HOME: home,
    });
    expect([inspected.digest, inspected.contract.name]).toEqual([first.digest, 'iris']);
    rmSync(home, { recursive: true });
  }, 120_000);

  test('a retrained model takes at most 8 requests besides GET, and sends its layer and less than 20 kB', async () => {
    const folder = await project('iris', '0.0.2', 'example', image);
    counter.seen.length = 0;
    const second = await json<Built>(['build', folder, '--push'], env);
    const model = second.platforms[0]?.layers.find((layer) => layer.kind === 'model');
    const sent = counter.seen.filter(({ method }) => method !== 'GET');
    const writes = await besidesReferrers(sent, image, second.push.referrers, env);
    const sum = (requests: readonly Counted[]) => requests.reduce((total, request) => total + request.bodyBytes, 0);
    const bytes = sum(writes);
    process.stderr.write(
      `${counter.seen.length} requests, ${writes.length} besides GET, ${bytes} bytes for a model layer of ${model?.sizeBytes}; for what is attached ${sent.length - writes.length}, ${sum(sent) - bytes} bytes\n`,
    );
    expect(writes.length).toBeLessThanOrEqual(8);
    expect(bytes).toBeLessThan((model?.sizeBytes ?? 0) + 20_000);
    expect(second.push.uploaded).toContain(model?.digest as string);
    await must([await crane(), 'validate', '--insecure', '--fast', '--remote', `${image}:0.0.2`], { env });
  }, 120_000);

  test('another model of the team mounts the layers that they share', async () => {
    const folder = await project('wine', '0.0.1', 'reference', `${counter.host}/ml/wine`);
    const { push } = await json<Built>(['build', folder, '--push'], env);
    // go-containerregistry keeps the blobs of all repositories together: there they are, with no mount.
    expect(push.mounted.length + push.existing.length).toBe(3);
    expect(push.sentBytes).toBeLessThan(100_000);
  }, 120_000);

  test('a version is never reused, unless forced', async () => {
    const folder = await project('iris', '0.0.1', 'example', image);
    const refused = await run([INLAY, 'build', folder, '--push', '--json'], { env: { INLAY_HOME: HOME, ...env } });
    expect(refused.code).toBe(1);
    const { error } = JSON.parse(refused.stderr) as { error: { code: string; message: string } };
    expect(error.code).toBe('TAG_EXISTS');
    expect(error.message).toContain(first.digest);
    // The local store names the other image now: the first one is pushed again by its digest.
    const again = await json<Pushed>(['push', first.digest, `${image}:0.0.1`], env);
    expect([again.uploaded, again.sentBytes]).toEqual([[], 0]);
  }, 120_000);

  test('copy takes what is attached along, in a registry and between two', async () => {
    const registry = new Registry({ env, homeDir: dir });
    const attached = await attachReferrer({
      registry,
      subject: parseReference(`${image}:0.0.2`),
      artifactType: 'application/vnd.example.sbom+json',
      layers: [{ mediaType: 'application/json', bytes: new TextEncoder().encode('{}') }],
    });
    const same = await json<Pushed & { referrers: string[] }>(
      ['copy', `${image}:0.0.2`, `${counter.host}/prod/iris:1`],
      env,
    );
    // An SBOM, and provenance of the index and of the platform, besides.
    expect(same.referrers).toContain(attached.digest);
    expect(same.referrers.length).toBe(4);
    expect(same.mounted.length + same.existing.length).toBeGreaterThanOrEqual(4);
    expect(same.sentBytes).toBeLessThan(40_000);
    const other = await startCraneRegistry();
    try {
      const target = `${other.host}/prod/iris`;
      const copied = await json<Pushed>(['copy', `${image}:0.0.2`, `${target}:1`], env);
      expect(copied.digest).toBe(same.digest);
      await must([await crane(), 'validate', '--insecure', '--fast', '--remote', `${target}:1`], { env });
      const listed = await listReferrers({ registry, reference: parseReference(`${target}:1`) });
      expect(listed.map((d) => d.digest)).toContain(attached.digest);
      expect(listed.length).toBe(2);
    } finally {
      await other.stop();
    }
  }, 120_000);
});

test('a login that is missing or wrong is told without the password', async () => {
  const registry = await startDockerRegistry({ login: LOGIN });
  try {
    const source = await json<Built>(['build', await project('login', '0.0.1', 'reference')]);
    const push = (env: Record<string, string>) =>
      run([INLAY, 'push', source.reference, `${registry.host}/a/b:1`], {
        env: { INLAY_HOME: HOME, DOCKER_CONFIG: dir, REGISTRY_AUTH_FILE: join(dir, 'none.json'), ...env },
      });
    const without = await push({});
    expect([without.code, without.stderr]).toEqual([3, expect.stringContaining('error REGISTRY_UNAUTHORIZED')]);
    const wrong = await push({
      INLAY_REGISTRY_USERNAME: 'ci',
      INLAY_REGISTRY_PASSWORD: 'wr0ng-secret',
      INLAY_DEBUG: '1',
    });
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain(`${registry.host}/a/b`);
    expect(wrong.stderr).not.toContain('wr0ng-secret');
    const right = await push({ INLAY_REGISTRY_USERNAME: LOGIN.username, INLAY_REGISTRY_PASSWORD: LOGIN.password });
    expect(right.code).toBe(0);
  } finally {
    await registry.stop();
  }
}, 300_000);
