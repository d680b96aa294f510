// An image for another architecture than this machine's answers as it does on its own.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackRootFs } from '../src/container/root-fs.ts';
import { OciLayout, type ResolvedImage, storeDir } from '../src/image/index.ts';
import { must, predict, ROOT } from './inlay.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const QEMU = '/usr/bin/qemu-aarch64-static';
/** The rows of the reference, which must have the same digits everywhere. */
const REFERENCE_ROWS = [
  [5.1, 3.5, 1.4, 0.2],
  [1, 2, 3, 4],
];
/** Here the processors' kernels add up in another order: 0.96416926 on one, 0.96416920 on the other. */
const OTHER_ROW = [6.3, 2.9, 5.6, 1.8];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-arm64-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.skipIf(process.getuid?.() !== 0 || process.arch !== 'x64')(
  'one build for two platforms makes an index, and the arm64 image answers under qemu as amd64 does',
  async () => {
    const project = join(dir, 'two');
    mkdirSync(project);
    for (const file of ['iris_svc.onnx', 'label.json'])
      cpSync(join(ROOT, 'test', 'data', 'reference', file), join(project, file));
    writeFileSync(
      join(project, 'inlay.yaml'),
      'name: two\nversion: "0.0.1"\nmodel: iris_svc.onnx\nlabels: label.json\nsample: [[5.1, 3.5, 1.4, 0.2]]\n',
    );
    const inlay = join(ROOT, 'bin', 'inlay');
    const output = join(dir, 'layout');
    const built = JSON.parse(
      await must(
        [inlay, 'build', project, '--platform', 'linux/amd64,linux/arm64', '--output', `oci:${output}`, '--json'],
        { env: { INLAY_HOME: HOME } },
      ),
    ) as { reference: string; platforms: { platform: string; layers: { kind: string; digest: string }[] }[] };
    expect(built.platforms.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    const [amd64, arm64] = built.platforms.map(({ layers }) => layers.map(({ digest }) => digest));
    // Base and runtime are the platform's; server and model are the same bytes.
    expect(arm64?.slice(2)).toEqual(amd64?.slice(2) as string[]);
    expect(arm64?.slice(0, 2)).not.toEqual(amd64?.slice(0, 2) as string[]);
    // A tool that no one here wrote finds the other platform by the index.
    const seen = await must(['skopeo', '--override-arch', 'arm64', 'inspect', '--config', `oci:${output}:0.0.1`]);
    expect(JSON.parse(seen)).toMatchObject({ architecture: 'arm64', os: 'linux' });

    const layout = await OciLayout.open(storeDir(HOME));
    const answers: number[][][] = [];
    const caches: string[] = [];
    for (const architecture of ['amd64', 'arm64']) {
      const image = await layout.resolve(built.reference, { os: 'linux', architecture });
      const { rows, cache } = await answersOf(layout, image, architecture === 'arm64');
      answers.push(rows);
      caches.push(cache);
    }
    // The server's bytecode was compiled on this machine; the other architecture's Bun takes it too.
    for (const cache of caches) expect(cache).toContain('[Disk Cache] Cache hit for sourceCode');
    const [here, there] = answers as [number[][], number[][]];
    expect(there.slice(0, 2)).toEqual(here.slice(0, 2));
    for (const [i, value] of (here[2] as number[]).entries())
      expect(Math.abs(value - (there[2]?.[i] as number))).toBeLessThan(1e-6);
  },
  600_000,
);

/**
 * What the files of an image answer in a chroot, under qemu where they are another architecture's, and what JavaScriptCore tells
 * of its cache meanwhile.
 */
async function answersOf(
  layout: OciLayout,
  image: ResolvedImage,
  emulated: boolean,
): Promise<{ rows: number[][]; cache: string }> {
  const root = await unpackRootFs(layout, image, join(dir, image.config.architecture), true);
  const proc = join(root, 'proc');
  mkdirSync(proc, { recursive: true });
  await must(['mount', '-t', 'proc', 'proc', proc]);
  try {
    if (emulated) {
      cpSync(QEMU, join(root, 'qemu'));
      chmodSync(join(root, 'qemu'), 0o755);
    }
    const port = await freePort();
    const { Env = [], Entrypoint, WorkingDir } = image.config.config;
    const child = Bun.spawn(
      [
        Bun.which('chroot') ?? 'chroot',
        '--userspec=65532:65532',
        root,
        ...(emulated ? ['/qemu'] : []),
        ...(Entrypoint ?? []),
      ],
      {
        env: Object.fromEntries(
          [
            ...[...Env, `PORT=${port}`, 'HOST=127.0.0.1', 'DRAIN_S=0', `PROJECT_DIR=${WorkingDir}`],
            'BUN_JSC_verboseDiskCache=1',
          ].map((pair) => {
            const at = pair.indexOf('=');
            return [pair.slice(0, at), pair.slice(at + 1)];
          }),
        ),
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
      },
    );
    const log = new Response(child.stderr).text();
    try {
      const url = `http://127.0.0.1:${port}`;
      for (;;) {
        const ready = await fetch(`${url}/health/ready`).catch(() => undefined);
        if (ready?.status === 200) break;
        if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${await log}`);
        await Bun.sleep(100);
      }
      const rows = (await predict(url, [...REFERENCE_ROWS, OTHER_ROW])) as number[][];
      child.kill('SIGTERM');
      return { rows, cache: await log };
    } finally {
      child.kill('SIGTERM');
      await child.exited;
    }
  } finally {
    await must(['umount', proc]);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
