// What Kubernetes nodes run: containerd imports what build writes, and starts it.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, predict, ROOT, run } from './inlay.ts';

const HOME = process.env.INLAY_E2E_HOME ?? join(homedir(), '.cache', 'inlay-e2e');
const SETOSA = [0.9709315896034241, 0.015583082102239132, 0.013485366478562355];

let dir: string;
let daemon: Bun.Subprocess | undefined;
const ctr = (...args: string[]) => ['ctr', '-a', join(dir, 'containerd.sock'), ...args];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-e2e-containerd-'));
  if (process.getuid?.() !== 0) return;
  const config = join(dir, 'config.toml');
  const lines = [
    'version = 2',
    `root = "${dir}/root"`,
    `state = "${dir}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `[grpc]\naddress = "${dir}/containerd.sock"`,
    `[ttrpc]\naddress = "${dir}/ttrpc.sock"`,
    `[plugins."io.containerd.internal.v1.opt"]\npath = "${dir}/opt"`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  daemon = Bun.spawn(['containerd', '--config', config], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  while ((await run(ctr('version'))).code !== 0) {
    if (daemon.exitCode !== null) throw new Error(`containerd ended with ${daemon.exitCode}`);
    await Bun.sleep(100);
  }
}, 60_000);
afterAll(async () => {
  daemon?.kill();
  await daemon?.exited;
  rmSync(dir, { recursive: true, force: true });
});

test.skipIf(process.getuid?.() !== 0)(
  'ctr imports the OCI layout in zstd and the docker-archive, and runs both',
  async () => {
    const project = join(dir, 'project');
    mkdirSync(project);
    for (const file of ['iris_svc.onnx', 'label.json'])
      cpSync(join(ROOT, 'test', 'data', 'reference', file), join(project, file));
    writeFileSync(
      join(project, 'inlay.yaml'),
      'name: node\nversion: "1"\nmodel: iris_svc.onnx\nlabels: label.json\nsample: [[5.1, 3.5, 1.4, 0.2]]\n',
    );
    const build = (output: string) =>
      must([join(ROOT, 'bin', 'inlay'), 'build', project, '--output', output, '--json'], {
        env: { INLAY_HOME: HOME },
      });
    const built = JSON.parse(await build(`oci:${dir}/layout`)) as { digest: string };
    await must(['tar', '-C', join(dir, 'layout'), '-cf', join(dir, 'oci.tar'), '.']);
    await must(ctr('images', 'import', '--base-name', 'example.com/node', join(dir, 'oci.tar')));
    await build(`docker-archive:${dir}/docker.tar`);
    await must(ctr('images', 'import', join(dir, 'docker.tar')));
    const images = await must(ctr('images', 'ls'));
    expect(images).toContain(built.digest);
    for (const [i, image] of ['example.com/node:1', 'docker.io/library/node:1'].entries()) {
      const port = 18_870 + i;
      const id = `node-${i}`;
      const task = Bun.spawn(
        ctr(
          'run',
          '--rm',
          '--net-host',
          '--env',
          `PORT=${port}`,
          '--env',
          'GRPC_PORT=0',
          '--env',
          'DRAIN_S=0',
          image,
          id,
        ),
        { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
      );
      try {
        const url = `http://127.0.0.1:${port}`;
        while ((await fetch(`${url}/health/ready`).catch(() => undefined))?.status !== 200) {
          if (task.exitCode !== null) throw new Error(await new Response(task.stderr).text());
          await Bun.sleep(50);
        }
        expect(await predict(url, [[5.1, 3.5, 1.4, 0.2]])).toEqual(SETOSA);
      } finally {
        await run(ctr('tasks', 'kill', '-s', 'SIGTERM', id));
        await task.exited;
      }
    }
  },
  180_000,
);
