// What npm publishes: packed, looked at by the linters of packages, installed elsewhere with install scripts on and off, and used.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, ROOT, run } from './inlay.ts';

const MOST_BYTES = 200e6;
const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const BUN = process.execPath;

let dir: string;
let tarball: string;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'inlay-e2e-package-')));
  await must(['npm', 'pack', '--pack-destination', dir]);
  tarball = join(dir, readdirSync(dir).find((name) => name.endsWith('.tgz')) as string);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Of the files below a folder, bytes. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true })
    .map((name) => statSync(join(folder, String(name)), { throwIfNoEntry: false }))
    .reduce((sum, found) => sum + (found?.isFile() ? found.size : 0), 0);
}

/** A copy of the iris example without what it pins. */
function project(name: string): string {
  const target = join(dir, name);
  cpSync(join(ROOT, 'examples/iris'), target, { recursive: true });
  return target;
}

test('publint and arethetypeswrong have nothing to say', async () => {
  await must(['node_modules/.bin/publint', 'run', tarball, '--strict']);
  // It is for import alone: require and Node 10 have no exports to find.
  await must(['node_modules/.bin/attw', tarball, '--profile', 'esm-only']);
});

test.each([['on'], ['off']])('with install scripts %s it is installed, small, and does its work', async (scripts) => {
  const prefix = join(dir, `prefix-${scripts}`);
  const flags = scripts === 'off' ? ['--ignore-scripts'] : [];
  // Neither the user's own settings nor this project's take part, the registry apart.
  await must(['npm', 'install', '--global', '--prefix', prefix, ...flags, tarball], { cwd: dir });
  const size = sizeOf(prefix);
  process.stderr.write(
    `package ${(statSync(tarball).size / 1e6).toFixed(1)} MB, installed with scripts ${scripts} ${(size / 1e6).toFixed(1)} MB\n`,
  );
  expect(size).toBeLessThan(MOST_BYTES);
  const files = readdirSync(prefix, { recursive: true }).map(String);
  expect(files.filter((name) => /cuda|tensorrt/i.test(name))).toEqual([]);
  expect(files.filter((name) => name.includes('onnxruntime-node'))).toEqual([]);

  const inlay = join(prefix, 'bin', 'inlay');
  const env = { INLAY_HOME: HOME };
  const { version } = (await Bun.file(join(ROOT, 'package.json')).json()) as { version: string };
  expect((await must([inlay, '--version'])).trim()).toBe(version);
  expect(await must([inlay, 'build', '--help'])).toContain('--platform');

  const iris = project(`iris-${scripts}`);
  rmSync(join(iris, 'inlay.yaml'));
  await must([inlay, 'init', iris], { env });
  cpSync(join(ROOT, 'examples/iris/inlay.yaml'), join(iris, 'inlay.yaml'));
  await must([inlay, 'lock', iris], { env });
  expect(JSON.parse(await must([inlay, 'check', iris, '--json'], { env })).ok).toBe(true);
  const built = JSON.parse(await must([inlay, 'build', iris, '--json'], { env })) as { digest: string };
  // The very image that a checkout builds.
  const here = JSON.parse(await must([join(ROOT, 'bin', 'inlay'), 'build', iris, '--json'], { env })) as {
    digest: string;
  };
  expect(built.digest).toBe(here.digest);
  // And of itself.
  const imageOf = async (program: string) =>
    JSON.parse(await must([program, 'cli-image', 'localhost:1/inlay', '--json'], { env })) as { digest: string };
  expect((await imageOf(inlay)).digest).toBe((await imageOf(join(ROOT, 'bin', 'inlay'))).digest);
});

test('it serves, with more threads than one', async () => {
  const inlay = join(dir, 'prefix-off', 'bin', 'inlay');
  const child = Bun.spawn([inlay, 'serve', join(ROOT, 'examples/iris'), '--port', '0'], {
    env: { ...process.env, INLAY_HOME: HOME, WORKERS: '2' },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  try {
    let text = '';
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes('http://')) break;
    }
    const url = /http:\S+?(?=[\s/]*$)/m.exec(text)?.[0] as string;
    const answer = await fetch(`${url}/predict/label`, { method: 'POST', body: '{"data": [[5.1, 3.5, 1.4, 0.2]]}' });
    expect(await answer.json()).toEqual({ prediction: 'setosa' });
    for (const page of ['/docs', '/', '/playground/app.js', '/playground/style.css', '/docs/swagger-ui.css'])
      expect([page, (await fetch(`${url}${page}`)).status]).toEqual([page, 200]);
  } finally {
    child.kill();
    await child.exited;
  }
}, 60_000);

test('where npm has no registry, the first check says so and leaves nothing behind', async () => {
  const inlay = join(dir, 'prefix-off', 'bin', 'inlay');
  const home = join(dir, 'home-alone');
  const { code, stderr } = await run([inlay, 'check', join(ROOT, 'examples/iris')], {
    env: { INLAY_HOME: home, npm_config_registry: 'http://127.0.0.1:9', npm_config_fetch_retries: '0' },
  });
  expect(code).toBe(3);
  expect(stderr).toContain('error RUNTIME_UNAVAILABLE');
  expect(readdirSync(home, { recursive: true }).filter((name) => statSync(join(home, String(name))).isFile())).toEqual(
    [],
  );
});

test('the rooms are a library, with types', async () => {
  const app = join(dir, 'app');
  mkdirSync(app);
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({ name: 'app', version: '1.0.0', private: true, type: 'module' }),
  );
  const peers = ['@types/bun@1.4.5', '@kubernetes/client-node@2.0.1'];
  await must(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', tarball, ...peers], { cwd: app });
  cpSync(join(ROOT, 'docs/api-example.ts'), join(app, 'example.ts'));
  const { exports } = (await Bun.file(join(ROOT, 'package.json')).json()) as { exports: Record<string, unknown> };
  const rooms = Object.keys(exports).flatMap((name) => (name.endsWith('.json') ? [] : [name.slice(2)]));
  writeFileSync(
    join(app, 'all.ts'),
    `${rooms.map((room) => `export * as ${room} from 'inlay/${room}';`).join('\n')}\n`,
  );
  writeFileSync(
    join(app, 'wrong.ts'),
    "import { build } from 'inlay/image'; export const digest = async (): Promise<number> => (await build({} as never)).image.digest;\n",
  );
  // Kubernetes' own types do not hold without it.
  const options = [
    '--noEmit',
    '--skipLibCheck',
    '--strict',
    '--target',
    'esnext',
    '--module',
    'nodenext',
    '--types',
    'bun',
  ];
  await must([join(ROOT, 'node_modules/.bin/tsc'), ...options, 'example.ts', 'all.ts'], { cwd: app });
  const { stdout } = await run([join(ROOT, 'node_modules/.bin/tsc'), ...options, 'wrong.ts'], { cwd: app });
  expect(stdout).toContain("Type 'string' is not assignable to type 'number'");
  await must([BUN, '--no-env-file', '--no-install', 'all.ts'], { cwd: app });
  const iris = project('iris-library');
  const told = await must([BUN, '--no-env-file', '--no-install', 'example.ts', iris], {
    cwd: app,
    env: { INLAY_HOME: HOME },
  });
  expect(told).toContain('sha256:');
}, 120_000);
