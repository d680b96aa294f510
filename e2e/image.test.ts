// From sources to a running image, with tools that no one here wrote looking at it.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PruneDocument, StoreDocument } from '../src/prune/index.ts';
import { must, predict, ROOT, run, startImage } from './inlay.ts';

const SETOSA = [0.9709315896034241, 0.015583082102239132, 0.013485366478562355];
const VIRGINICA = [0.3613327741622925, 0.2574760615825653, 0.3811912536621094];
const REFERENCE = join(ROOT, 'test', 'data', 'reference');

/** Kept between runs, outside the tree: a second run composes no layer again. */
const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');

/** dpkg-query's own placeholders. */
const DPKG_FORMAT = ['$', '{Package} $', '{db:Status-Status}\\n'].join('');

interface Built {
  reference: string;
  digest: string;
  platforms: {
    digest: string;
    sizeBytes: number;
    layers: { kind: string; digest: string; mediaType: string; sizeBytes: number; reused: boolean }[];
  }[];
}

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function build(project: string, home: string, args: readonly string[] = [], root: string = ROOT): Promise<Built> {
  return JSON.parse(
    await must([join(root, 'bin', 'inlay'), 'build', project, '--json', ...args], {
      cwd: root,
      env: { INLAY_HOME: home },
    }),
  ) as Built;
}

/** The base is pinned anew where the mirror has moved on: what is tested here is the way, not the day's packages. */
async function freshLock(project: string, home: string): Promise<void> {
  await must([join(ROOT, 'bin', 'inlay'), 'lock', project], { env: { INLAY_HOME: home } });
}

/** A project on the reference model. */
async function referenceProject(name: string): Promise<string> {
  const project = join(dir, name);
  mkdirSync(project);
  cpSync(join(REFERENCE, 'iris_svc.onnx'), join(project, 'iris_svc.onnx'));
  cpSync(join(REFERENCE, 'label.json'), join(project, 'label.json'));
  writeFileSync(
    join(project, 'inlay.yaml'),
    `name: ${name}\nversion: "0.0.1"\nmodel: iris_svc.onnx\nlabels: label.json\nsample: [[5.1, 3.5, 1.4, 0.2]]\n`,
  );
  await freshLock(project, HOME);
  return project;
}

test('two builds from two clones in two folders with two INLAY_HOMEs give one digest', async () => {
  const clones = await Promise.all(
    ['one', 'another/deeper'].map(async (name) => {
      const clone = join(dir, name);
      await must(['git', 'clone', '-q', ROOT, clone]);
      symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
      return clone;
    }),
  );
  const lock = join(dir, 'lock');
  cpSync(join(ROOT, 'examples', 'iris'), lock, { recursive: true });
  await freshLock(lock, HOME);
  for (const clone of clones) cpSync(join(lock, 'inlay.lock'), join(clone, 'examples', 'iris', 'inlay.lock'));
  const other = join(dir, 'other-home');
  const [a, b] = [
    await build('examples/iris', HOME, [], clones[0]),
    await build('examples/iris', other, [], clones[1]),
  ];
  expect(b.digest).toBe(a.digest);
  expect(b.platforms[0]?.layers.map((layer) => layer.reused)).toEqual([false, false, false, false]);
  expect(b.platforms[0]?.layers.map((layer) => layer.kind)).toEqual(['base', 'runtime', 'server', 'model']);
  expect(a.platforms[0]?.sizeBytes).toBeLessThanOrEqual(62e6);
  console.log(`iris, zstd: ${((a.platforms[0]?.sizeBytes ?? 0) / 1e6).toFixed(1)} MB`);
  rmSync(other, { recursive: true });
}, 600_000);

test('skopeo reads the layout, and umoci unpacks it with gzip', async () => {
  const project = await referenceProject('layout');
  const zstd = join(dir, 'zstd');
  await build(project, HOME, ['--output', `oci:${zstd}`]);
  const inspected = JSON.parse(await must(['skopeo', 'inspect', `oci:${zstd}:0.0.1`]));
  expect(inspected).toMatchObject({ Architecture: process.arch === 'x64' ? 'amd64' : 'arm64', Os: 'linux' });
  expect(inspected.Labels['inlay.model.digest']).toStartWith('sha256:53856dda');
  await must(['skopeo', 'copy', '-q', '--preserve-digests', `oci:${zstd}:0.0.1`, `dir:${join(dir, 'copied')}`]);

  const gzip = join(dir, 'gzip');
  const built = await build(project, HOME, ['--compression', 'gzip', '--output', `oci:${gzip}`]);
  expect(built.platforms[0]?.sizeBytes).toBeLessThanOrEqual(78e6);
  console.log(`reference model, gzip: ${((built.platforms[0]?.sizeBytes ?? 0) / 1e6).toFixed(1)} MB`);
  const bundle = join(dir, 'bundle');
  await must(['umoci', 'unpack', '--image', `${gzip}:0.0.1`, bundle]);
  expect(readdirSync(join(bundle, 'rootfs', 'model')).sort()).toEqual(['contract.json', 'iris_svc.onnx', 'label.json']);
  const status = readFileSync(join(bundle, 'rootfs', 'var', 'lib', 'dpkg', 'status'), 'utf8');
  expect(status).toMatch(/^Package: libc6\nStatus: install ok installed$/m);
  // Debian's own tool, as a scanner would: the packages are there and consistent.
  const listed = await must([
    'dpkg-query',
    `--admindir=${join(bundle, 'rootfs', 'var', 'lib', 'dpkg')}`,
    '-W',
    '-f',
    DPKG_FORMAT,
  ]);
  expect(
    listed
      .trim()
      .split('\n')
      .every((line) => line.endsWith(' installed')),
  ).toBe(true);
  expect(listed).toContain('tzdata installed');
  const files = await must(['dpkg-query', `--admindir=${join(bundle, 'rootfs', 'var', 'lib', 'dpkg')}`, '-L', 'libc6']);
  expect(files).toContain('/usr/lib/');
}, 600_000);

test('only the last layer changes with the model', async () => {
  const project = await referenceProject('retrained');
  const before = await build(project, HOME);
  cpSync(join(ROOT, 'examples', 'iris', 'models', 'iris_svc.onnx'), join(project, 'iris_svc.onnx'));
  const after = await build(project, HOME);
  const digests = (image: Built) => image.platforms[0]?.layers.map((layer) => layer.digest) ?? [];
  expect(digests(after).slice(0, 3)).toEqual(digests(before).slice(0, 3));
  expect(digests(after)[3]).not.toBe(digests(before)[3]);
  expect(after.platforms[0]?.layers.slice(0, 3).every((layer) => layer.reused)).toBe(true);
}, 600_000);

describe.each(['runc', 'process'] as const)('the image under %s', (engine) => {
  test('answers as the reference to the last digit, within its limits, and stops without failing a request', async () => {
    const project = await referenceProject(`ref-${engine}`);
    const image = await build(project, HOME);
    const { url, child, output } = await startImage(
      [
        image.reference,
        '--engine',
        engine,
        '--port',
        '0',
        '--cpus',
        '0.5',
        '--memory',
        '300Mi',
        '--env',
        'DRAIN_S=1.5',
      ],
      { INLAY_HOME: HOME },
    );
    try {
      expect(await predict(url, [[5.1, 3.5, 1.4, 0.2]])).toEqual(SETOSA);
      expect(await predict(url, [[1, 2, 3, 4]])).toEqual(VIRGINICA);
      if (engine === 'runc') await expectConfined(Number(new URL(url).port));

      const failures: string[] = [];
      let answered = 0;
      let routed = true;
      const clients = Array.from({ length: 8 }, async (_, i) => {
        while (routed) {
          try {
            const response = await fetch(`${url}/predict`, { method: 'POST', body: '{}', keepalive: i % 2 === 0 });
            expect(await response.json()).toEqual({ prediction: SETOSA });
            answered++;
          } catch (error) {
            failures.push(String(error));
          }
        }
      });
      await Bun.sleep(300);
      child.kill('SIGTERM');
      await Bun.sleep(700);
      routed = false;
      await Promise.all(clients);
      expect(failures).toEqual([]);
      expect(answered).toBeGreaterThan(50);
      expect(await child.exited).toBe(0);
      expect(output()).toContain('stopped');
    } finally {
      child.kill('SIGTERM');
      await child.exited;
    }
    expect(
      existsSync(join(HOME, 'run', 'runc'))
        ? readdirSync(join(HOME, 'run', 'runc')).filter((name) => name.startsWith('inlay-'))
        : [],
    ).toEqual([]);
  }, 120_000);
});

test('a prune beside a run under runc leaves it alone, and takes what it ran from when it has ended', async () => {
  const project = await referenceProject('pruned');
  // A home of its own: nothing else is pruned.
  const home = join(dir, 'pruned-home');
  await build(project, HOME, ['--output', `oci:${join(home, 'oci')}`]);
  const inlay = join(ROOT, 'bin', 'inlay');
  const prune = async (
    ...args: string[]
  ): Promise<PruneDocument & { local: StoreDocument; localFreedBytes?: number }> =>
    JSON.parse(
      await must([inlay, 'prune', '--local', '--grace', '0s', '--json', ...args], { env: { INLAY_HOME: home } }),
    );
  const folders = () => readdirSync(join(home, 'run', 'rootfs'));
  const args = ['0.0.1', '--engine', 'runc', '--port', '0'];
  const first = await startImage(args, { INLAY_HOME: home });
  try {
    expect((await prune('--yes')).local.rootFileSystems).toEqual([]);
    expect(await predict(first.url, [[5.1, 3.5, 1.4, 0.2]])).toEqual(SETOSA);
    expect(folders()).toHaveLength(1);
    // runc holds the folder, and the container has no way to it.
    for (const fd of descriptorsBehind(Number(new URL(first.url).port))) expect(fd).not.toContain('rootfs');
  } finally {
    first.child.kill('SIGTERM');
    await first.child.exited;
  }
  const { local } = await prune();
  expect(local.rootFileSystems).toHaveLength(1);
  expect(local.rootFileSystems[0]?.sizeBytes).toBeGreaterThan(100e6);
  expect(folders()).toHaveLength(1);
  expect((await prune('--yes')).localFreedBytes).toBe(local.freeBytes);
  expect(folders()).toEqual([]);
  const again = await startImage(args, { INLAY_HOME: home });
  try {
    expect(await predict(again.url, [[5.1, 3.5, 1.4, 0.2]])).toEqual(SETOSA);
  } finally {
    again.child.kill('SIGTERM');
    await again.child.exited;
  }
}, 300_000);

/** What the server behind a port has open, as the kernel says. */
function descriptorsBehind(port: number): string[] {
  const fds = join('/proc', pidBehind(port) ?? 'none', 'fd');
  return readdirSync(fds).map((fd) => readlinkSync(join(fds, fd)));
}

function pidBehind(port: number): string | undefined {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inode = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[1]?.endsWith(hex) && fields[3] === '0A')?.[9];
  return readdirSync('/proc').find(
    (name) =>
      /^\d+$/.test(name) &&
      (() => {
        try {
          return readdirSync(`/proc/${name}/fd`).some((fd) => {
            try {
              return readlinkSync(`/proc/${name}/fd/${fd}`) === `socket:[${inode}]`;
            } catch {
              return false;
            }
          });
        } catch {
          return false;
        }
      })(),
  );
}

/** The server behind a port: who it is and what it may, as the kernel says. */
async function expectConfined(port: number): Promise<void> {
  const pid = pidBehind(port);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\s+65532\s+65532/m);
  expect(status).toMatch(/^Gid:\s+65532\s+65532/m);
  expect(status).toMatch(/^CapBnd:\s+0000000000000000$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  expect(mounts.find((fields) => fields[4] === '/')?.[5]?.split(',')).toContain('ro');
  const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const memory = /^\d+:memory:(.*)$/m.exec(cgroup)?.[1];
  const cpu = /^\d+:cpu(?:,cpuacct)?:(.*)$/m.exec(cgroup)?.[1];
  const limits =
    memory === undefined
      ? [
          readFileSync(`/sys/fs/cgroup${/^0::(.*)$/m.exec(cgroup)?.[1]}/memory.max`, 'utf8'),
          readFileSync(`/sys/fs/cgroup${/^0::(.*)$/m.exec(cgroup)?.[1]}/cpu.max`, 'utf8'),
        ]
      : [
          readFileSync(`/sys/fs/cgroup/memory${memory}/memory.limit_in_bytes`, 'utf8'),
          readFileSync(`/sys/fs/cgroup/cpu${cpu}/cpu.cfs_quota_us`, 'utf8'),
        ];
  expect(Number.parseInt(limits[0] ?? '', 10)).toBe(300 * 2 ** 20);
  expect(Number.parseInt(limits[1] ?? '', 10)).toBe(50_000);
}

test('mistakes are told, with their exit codes', async () => {
  const inlay = join(ROOT, 'bin', 'inlay');
  const told = async (...args: string[]) => {
    const { code, stderr } = await run([inlay, ...args], { env: { INLAY_HOME: HOME } });
    return [code, stderr.split('\n')[0]];
  };
  expect(await told('bild')).toEqual([2, "error USAGE: unknown command 'bild'"]);
  expect(await told('build', join(dir, 'nowhere'))).toEqual([
    2,
    `error PROJECT_NOT_FOUND: there is no ${join(dir, 'nowhere')}`,
  ]);
  expect(await told('build', '--platform', 'windows/amd64')).toEqual([
    2,
    'error PLATFORM_UNSUPPORTED: no image can be built for windows/amd64',
  ]);
  expect(await told('run', 'none:1')).toEqual([3, `error IMAGE_NOT_FOUND: no image none:1 in ${join(HOME, 'oci')}`]);
}, 60_000);
