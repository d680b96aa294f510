// Models that inlay does not read, on an image of the user's own: the commands as a person meets them.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAnyProject, readProject } from '../../src/contract/index.ts';
import { isInlayError } from '../../src/error/index.ts';
import { OciLayout, readTar } from '../../src/image/index.ts';
import { pushImage } from '../../src/registry/index.ts';
import { endOf } from '../end-of.ts';
import { FakeRegistry } from '../registry/fake-registry.ts';
import { ref, World } from '../registry/world.ts';
import { debianFiles, type Entry, nameIndex, putBase } from './base-image.ts';

const MAIN = join(import.meta.dir, '..', '..', 'src', 'cli', 'main.ts');
const linux = process.platform === 'linux';

let world: World;
let fake: FakeRegistry;
let dir: string;
let home: string;
beforeEach(async () => {
  world = new World();
  fake = await FakeRegistry.start();
  dir = join(world.dir, 'project');
  home = join(world.dir, 'home');
  mkdirSync(join(dir, 'saved', 'variables'), { recursive: true });
  writeFileSync(join(dir, 'saved', 'saved_model.pb'), 'graph');
  writeFileSync(join(dir, 'saved', 'variables', 'variables.index'), 'index');
});
afterEach(async () => {
  await fake.stop();
  await world.remove();
});

function start(args: readonly string[], env: Record<string, string> = {}) {
  return Bun.spawn([process.execPath, '--no-env-file', MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: world.dir, INLAY_HOME: home, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}
async function inlay(...args: string[]) {
  const child = start(args);
  return endOf(child);
}
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await inlay(...args, '--json');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
};

/** A server of somebody's own, pushed to the registry; it answers with what it finds at MODEL_FILEPATH. */
async function pushBase(name = `${fake.host}/ml/server:1`, platforms = 1): Promise<string> {
  const layout = await world.layout();
  const program =
    'const { readFileSync, statSync } = require("node:fs"); Bun.serve({ hostname: "127.0.0.1", port: process.env.PORT, fetch: () => new Response(readFileSync(process.env.MODEL_FILEPATH + "/saved_model.pb") + " " + process.env.MODEL_NAME) })';
  const files: Entry[] = [
    ...debianFiles(),
    { name: 'app/run', mode: 0o755, content: `#!/bin/sh\nexec ${process.execPath} -e '${program}'\n` },
    {
      name: 'usr/local/lib/python3.11/site-packages/Fast_API-0.115.0.dist-info/METADATA',
      content: 'Metadata-Version: 2.1\nName: Fast_API\nVersion: 0.115.0\n',
    },
  ];
  const config = { Entrypoint: ['/app/run'], User: '1000', Env: ['PORT=8501'], ExposedPorts: { '8501/tcp': {} } };
  const amd64 = await putBase(layout, [files, [{ name: 'etc/extra', content: 'x' }]], { config });
  const arm64 = await putBase(layout, [debianFiles(undefined, 183)], { config, architecture: 'arm64' });
  await nameIndex(layout, name, platforms === 2 ? [amd64, arm64] : [amd64]);
  await pushImage({ registry: world.registry(), layout, source: name, to: ref(name) });
  return name;
}

function yaml(base: string, more = '', version = '1', path = 'saved/'): void {
  writeFileSync(
    join(dir, 'inlay.yaml'),
    `name: iris\nversion: "${version}"\nimage: ${fake.host}/ml/iris\nbase: ${base}\nmodel: {path: ${path}, format: opaque, target: /models/iris/1, env: {MODEL_NAME: iris}}\n${more}`,
  );
}

const sha = (text: string) => createHash('sha256').update(text).digest('hex');

test('an opaque model on a base of its own: built, pushed with the base mounted, and inspected', async () => {
  const base = await pushBase();
  yaml(base, 'task: classification\ninputs: [{name: x, datatype: FP32, shape: [-1, 4]}]\nserver: {memory: 1Gi}\n');
  const built = await json('build', dir, '--platform', 'linux/amd64', '--push');
  const [platform] = built.platforms;
  expect(platform.layers.map(({ kind }: { kind: string }) => kind)).toEqual(['base', 'base', 'model']);
  // The layers of the base stay in the other repository of the registry; model, config and manifests go up.
  const baseDigests = platform.layers.slice(0, 2).map(({ digest }: { digest: string }) => digest);
  expect([...built.push.mounted].sort()).toEqual([...baseDigests].sort());
  expect(fake.repo('ml/iris').tags.get('1')).toBe(built.digest);

  const inspected = await json('inspect', `${fake.host}/ml/iris:1`, '--platform', 'linux/amd64');
  const lines = `${sha('graph')}  saved_model.pb\n${sha('index')}  variables/variables.index\n`;
  expect(inspected.contract).toMatchObject({
    format: 'opaque',
    name: 'iris',
    task: 'classification',
    model: { digest: `sha256:${sha(lines)}`, path: '/models/iris/1' },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [],
  });
  expect(inspected).toMatchObject({ os: 'debian 12', libraries: { libc6: '2.36-9+deb12u13', Fast_API: '0.115.0' } });
  const layout = await OciLayout.open(join(home, 'oci'));
  const { config } = await layout.resolve(built.digest, { os: 'linux', architecture: 'amd64' });
  expect(config.config).toMatchObject({ Entrypoint: ['/app/run'], User: '1000', ExposedPorts: { '8501/tcp': {} } });
  expect(config.config.Env).toEqual(['PORT=8501', 'MODEL_FILEPATH=/models/iris/1', 'MODEL_NAME=iris']);

  // Its bill of materials names the packages of the base, and the base itself.
  const sbom = JSON.parse(
    new TextDecoder().decode(
      await layout.readBytes(
        JSON.parse(new TextDecoder().decode(await layout.readBytes(built.sboms[0]))).layers[0].digest,
      ),
    ),
  );
  const purls = sbom.components.map(({ purl }: { purl?: string }) => purl);
  expect(purls).toContain('pkg:pypi/fast-api@0.115.0');
  expect(purls).toContain('pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64&distro=debian-12');
  expect(purls.some((purl?: string) => purl?.startsWith('pkg:oci/server@sha256:'))).toBe(true);
  expect(sbom.components.find(({ type }: { type: string }) => type === 'machine-learning-model')).toBeDefined();
});

test('for two platforms: each on its own base, the model layer the same, all of the base mounted', async () => {
  yaml(await pushBase(undefined, 2));
  const built = await json('build', dir, '--platform', 'linux/amd64,linux/arm64', '--push');
  const [amd64, arm64] = built.platforms.map(({ layers }: { layers: { digest: string }[] }) =>
    layers.map(({ digest }) => digest),
  );
  expect([amd64.length, arm64.length]).toEqual([3, 2]);
  expect(amd64.at(-1)).toBe(arm64.at(-1));
  expect(built.push.mounted.length).toBe(3);
  for (const architecture of ['amd64', 'arm64'])
    expect(await json('inspect', `${fake.host}/ml/iris:1`, '--platform', `linux/${architecture}`)).toMatchObject({
      platform: `linux/${architecture}`,
      os: 'debian 12',
    });
});

test('the same files give the same digest; a retrained model changes its own layer alone; the pin holds', async () => {
  const base = await pushBase();
  yaml(base);
  const first = await json('build', dir, '--platform', 'linux/amd64');
  expect(await json('build', dir, '--platform', 'linux/amd64')).toMatchObject({ digest: first.digest });
  // The tag moves on, and the registry goes away: neither is asked again.
  const pin = await Bun.file(join(dir, 'inlay.lock')).text();
  await fake.stop();
  writeFileSync(join(dir, 'saved', 'saved_model.pb'), 'other');
  const second = await json('build', dir, '--platform', 'linux/amd64');
  const digests = (built: { platforms: { layers: { digest: string }[] }[] }) =>
    built.platforms[0]?.layers.map(({ digest }) => digest) ?? [];
  expect(digests(second).slice(0, 2)).toEqual(digests(first).slice(0, 2));
  expect(digests(second)[2]).not.toBe(digests(first)[2]);
  expect(await Bun.file(join(dir, 'inlay.lock')).text()).toBe(pin);
  fake = await FakeRegistry.start();
});

test.skipIf(!linux || process.arch !== 'x64')(
  'inlay run starts the server of the base with the model in its place',
  async () => {
    yaml(await pushBase());
    await json('build', dir, '--platform', 'linux/amd64');
    const child = start(['run', `${fake.host}/ml/iris:1`, '--engine', 'process', '--port', '0']);
    try {
      const reader = child.stdout.getReader();
      let text = '';
      while (!/ at (http:\S+)\n/.test(text)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(await new Response(child.stderr).text());
        text += new TextDecoder().decode(value);
      }
      const answer = await fetch(/ at (http:\S+)\n/.exec(text)?.[1] as string);
      expect(await answer.text()).toBe('graph iris');
    } finally {
      child.kill();
      await child.exited;
    }
  },
);

test('lock pins what the base is now; --base takes another; check and serve say what does not apply', async () => {
  const base = await pushBase();
  yaml(base);
  const first = await json('build', dir, '--platform', 'linux/amd64');
  const layout = await world.layout();
  const moved = await putBase(layout, [[{ name: 'etc/os-release', content: 'ID=ubuntu\nVERSION_ID="24.04"\n' }]]);
  const digest = await nameIndex(layout, base, [moved]);
  await pushImage({ registry: world.registry(), layout, source: base, to: ref(base), force: true });
  expect((await json('build', dir, '--platform', 'linux/amd64')).digest).toBe(first.digest);
  expect((await inlay('lock', dir, '--platform', 'linux/amd64')).stdout).toContain(digest);
  expect((await json('build', dir, '--platform', 'linux/amd64')).platforms[0].layers.length).toBe(2);
  const other = await pushBase(`${fake.host}/ml/other:1`);
  expect((await json('build', dir, '--platform', 'linux/amd64', '--base', other)).platforms[0].layers.length).toBe(3);

  const checked = await json('check', dir);
  expect(checked).toMatchObject({ ok: true, findings: [{ code: 'MODEL_OPAQUE', severity: 'info' }] });
  const served = await inlay('serve', dir);
  expect([served.code, served.stderr]).toEqual([1, expect.stringContaining('MODEL_OPAQUE')]);
  expect((await inlay('build', dir, '--base', 'apt')).code).toBe(2);
}, 30_000);

test('a base without the platform, and one that is not there, are typed errors that leave no image', async () => {
  const base = await pushBase();
  yaml(base);
  const arm = await inlay('build', dir, '--platform', 'linux/arm64', '--json');
  expect(JSON.parse(arm.stderr).error).toMatchObject({
    code: 'PLATFORM_UNSUPPORTED',
    message: `base: ${base}: it has no image for linux/arm64, only for linux/amd64`,
  });
  yaml(`${fake.host}/ml/nothing:1`);
  const gone = await inlay('build', dir, '--json');
  expect(JSON.parse(gone.stderr).error.code).toBe('REGISTRY_NOT_FOUND');
  expect(await (await OciLayout.open(join(home, 'oci'))).references()).toEqual([]);
});

const reading = (work: Promise<unknown>) =>
  work.then(
    () => 'fine',
    (error) => (isInlayError(error) ? error.code : String(error)),
  );

test('links in the model stay in the project, and what is no file is refused', async () => {
  const link = join(dir, 'saved', 'link');
  yaml('r.example.com/s:1');
  writeFileSync(join(dir, 'weights.bin'), 'weights');
  symlinkSync('../weights.bin', link);
  const project = await readAnyProject(dir);
  if (project.format !== 'opaque') throw new Error('opaque');
  expect(project.files.map(({ place }) => place)).toEqual([
    '/models/iris/1/link',
    '/models/iris/1/saved_model.pb',
    '/models/iris/1/variables/variables.index',
  ]);
  expect(project.files[0]?.digest).toBe(`sha256:${sha('weights')}`);
  expect(await reading(readProject(dir))).toBe('MODEL_OPAQUE');
  for (const [target, code] of [
    ['/etc/passwd', 'PATH_ESCAPES'],
    ['nowhere', 'FILE_NOT_FOUND'],
    ['.', 'FILE_UNREADABLE'],
  ] as const) {
    rmSync(link);
    symlinkSync(target, link);
    expect([target, await reading(readAnyProject(dir))]).toEqual([target, code]);
  }
  yaml('r.example.com/s:1', '', '1', '.');
  expect(await reading(readAnyProject(dir))).toBe('CONFIG_INVALID');
  yaml('r.example.com/s:1');
  rmSync(join(dir, 'saved'), { recursive: true });
  mkdirSync(join(dir, 'saved'));
  expect(await reading(readAnyProject(dir))).toBe('FILE_NOT_FOUND');
});

test('a model that is one file lies at its target; what may be run stays so; folders above it are left to the base', async () => {
  const file = join(dir, 'model.mar');
  writeFileSync(file, 'archive');
  chmodSync(file, 0o755);
  yaml(await pushBase(), '', '1', 'model.mar');
  const built = await json('build', dir, '--platform', 'linux/amd64');
  const layer = join(home, 'oci', 'blobs', 'sha256', built.platforms[0].layers[2].digest.slice(7));
  const listed = Bun.spawnSync(['tar', '-tvf', layer]).stdout.toString().trim().split('\n');
  expect(listed.length).toBe(1);
  expect(listed[0]).toMatch(/^-rwxr-xr-x .* models\/iris\/1$/);
});

test('SOURCE_DATE_EPOCH is the time of config and files; anything but seconds is refused', async () => {
  yaml(await pushBase());
  const at = async (epoch: string) => {
    const child = start(['build', dir, '--platform', 'linux/amd64', '--json'], { SOURCE_DATE_EPOCH: epoch });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return JSON.parse(stdout || stderr);
  };
  const none = await at('');
  const dated = await at('1700000000');
  expect((await at('1700000000')).digest).toBe(dated.digest);
  expect(dated.digest).not.toBe(none.digest);
  const layout = await OciLayout.open(join(home, 'oci'));
  const { config, manifest } = await layout.resolve(dated.digest, { os: 'linux', architecture: 'amd64' });
  expect(config.created).toBe('2023-11-14T22:13:20Z');
  const times: unknown[] = [];
  for await (const { header } of readTar(layout.stream(manifest.layers[2] as never)))
    times.push(header.mtime?.getTime());
  expect(new Set(times)).toEqual(new Set([1_700_000_000_000]));
  expect((await at('yesterday')).error.code).toBe('USAGE');
});
