// The nightly CronJob of examples/ci: an init container trains in an image that knows nothing of inlay, and inlay's own image, which
// has neither apt nor npm, builds on a server image and releases.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianRoot, pushRoot } from '../debian-root.ts';
import { must, ROOT } from '../inlay.ts';
import { until, World } from '../release/world.ts';

const PYTHON = [
  ...[
    'python3.11-minimal',
    'libpython3.11-minimal',
    'libpython3.11-stdlib',
    'libc6',
    'libcrypt1',
    'libexpat1',
    'zlib1g',
  ],
  ...[
    'libgcc-s1',
    'libstdc++6',
    'libffi8',
    'libbz2-1.0',
    'liblzma5',
    'libssl3',
    'libsqlite3-0',
    'libuuid1',
    'libtirpc3',
    'libnsl2',
  ],
  ...['libgssapi-krb5-2', 'libkrb5-3', 'libk5crypto3', 'libcom-err2', 'libkrb5support0', 'libkeyutils1'],
  ...['base-files', 'dash', 'coreutils', 'libacl1', 'libattr1', 'libgmp10', 'libselinux1', 'libpcre2-8-0'],
];

let world: World;
let serverImage: string;
let cliImage: string;

beforeAll(async () => {
  world = new World('cronjob');
  await world.makeNamespace();
  serverImage = await world.serverImage();
  const repository = `${world.cluster.registry}/${world.namespace}/inlay`;
  const env = { INLAY_HOME: process.env.INLAY_E2E_HOME ?? join(process.env.HOME ?? '/root', '.cache', 'inlay-e2e') };
  const built = JSON.parse(
    await must(
      [join(ROOT, 'bin', 'inlay'), 'cli-image', repository, '--lock', join(world.dir, 'server.lock'), '--json'],
      { env },
    ),
  ) as { reference: string };
  cliImage = built.reference;
  await world.must(['push', cliImage, '--insecure-registry', world.cluster.registry]);
}, 300_000);
afterAll(() => world.close(), 180_000);

/** Python with what examples/iris/train.py imports, and the project in /app. */
async function trainingImage(): Promise<string> {
  const dir = join(world.dir, 'training');
  mkdirSync(dir);
  const root = await debianRoot(dir, PYTHON);
  await must(['ln', '-sf', 'python3.11', join(root, 'usr/bin/python3')]);
  await must(['ln', '-sf', 'dash', join(root, 'usr/bin/sh')]);
  const app = join(root, 'app');
  mkdirSync(app);
  const example = join(ROOT, 'examples', 'iris');
  cpSync(join(example, 'train.py'), join(app, 'train.py'));
  cpSync(join(ROOT, 'python', 'inlay_golden'), join(app, 'inlay_golden'), { recursive: true });
  const pins = readFileSync(join(example, 'requirements.txt'), 'utf8').replace(/^\.\.\/.*$/m, '');
  writeFileSync(join(app, 'requirements.txt'), pins);
  writeFileSync(
    join(app, 'inlay.yaml'),
    [
      'name: iris',
      'version: auto',
      `image: ${world.cluster.registry}/${world.namespace}/iris`,
      `serverImage: ${serverImage}`,
      'model: models/iris_svc.onnx',
      'labels: models/label.json',
      'sample: [[5.1, 3.5, 1.4, 0.2]]',
      'golden: golden.json',
      'metrics: metrics.json',
      'server: {cpu: 200m, memory: 300Mi}',
      'deploy: {replicas: {initial: 1, min: 1, max: 2}, canary: {steps: [50], interval: 20s, bake: 5s}}',
      '',
    ].join('\n'),
  );
  const site = join(root, 'opt', 'site');
  const pip = [
    'python3',
    '-m',
    'pip',
    'install',
    '-q',
    '--disable-pip-version-check',
    '--no-compile',
    '--target',
    site,
  ];
  await must([...pip, '--python-version', '3.11', '--only-binary=:all:', '-r', join(app, 'requirements.txt')]);
  await must(['chmod', '-R', 'a+rX', root]);
  const reference = `${world.cluster.registry}/${world.namespace}/iris-train:1`;
  const pushed = join(world.dir, 'push');
  mkdirSync(pushed);
  const config = ['--config.env', 'PYTHONPATH=/opt/site', '--config.env', 'PATH=/usr/bin:/bin'];
  await pushRoot(pushed, root, reference, config, (command) => world.cluster.must(command));
  return reference;
}

/** examples/ci/cronjob.yaml with the names of this cluster. */
function cronJob(training: string): string {
  const page = readFileSync(join(ROOT, 'examples', 'ci', 'cronjob.yaml'), 'utf8');
  return page
    .replace(/namespace: ml$/m, `namespace: ${world.namespace}`)
    .replace(
      '--namespace, ml]',
      `--namespace, ${world.namespace}, --insecure-registry, "${world.cluster.registry}", --json]`,
    )
    .replace(/registry\.example\.com\/ml\/iris-train:\S+/, training)
    .replace(/image: registry\.example\.com\/ml\/inlay:\S+/, `image: ${cliImage}`);
}

async function night(name: string): Promise<{ succeeded: boolean; log: string }> {
  await world.kubectl('create', 'job', name, '--from=cronjob/iris-nightly');
  type Job = { status: { succeeded?: number; failed?: number; conditions?: { type: string; status: string }[] } };
  const ended = await until(
    `the job ${name} has ended`,
    async () => {
      const { status } = await world.get<Job>('job', name);
      return status.conditions?.find(
        ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
      );
    },
    600,
  );
  const log = await world.kubectl('logs', `job/${name}`, '--all-containers');
  return { succeeded: ended.type === 'Complete', log };
}

test('a night trains and releases, and the next one, of the same data, says that there is nothing to release', async () => {
  const rights = await world.must(['manifests', '--roles', 'releaser', '-n', world.namespace]);
  await world.cluster.kubectl(['apply', '--server-side', '-f', '-'], rights);
  await world.cluster.kubectl(['apply', '--server-side', '-f', '-'], cronJob(await trainingImage()));

  const first = await night('first');
  expect(first.log).toContain('accuracy on 45 held-out flowers');
  expect([first.succeeded, first.log]).toEqual([true, expect.stringContaining('"outcome": "released"')]);
  const status = await world.status();
  expect([status.phase, status.stable?.version]).toEqual(['idle', '0.1.0']);

  const second = await night('second');
  expect([second.succeeded, second.log]).toEqual([true, expect.stringContaining('"outcome": "unchanged"')]);
  expect((await world.status()).stable?.version).toBe('0.1.0');
}, 1_800_000);
