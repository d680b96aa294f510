import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleCli } from '../../src/image/cli-bundle.ts';
import { FakeCluster } from '../inventory/fake-cluster.ts';

const dir = mkdtempSync(join(tmpdir(), 'inlay-hub-'));
const cluster = new FakeCluster();
afterAll(async () => {
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('the bundled command line serves the dashboard from the files beside it, and says where', async () => {
  // As it lies in its image and in what npm publishes: deep in a folder that has no sources.
  const folder = join(dir, 'dist', 'cli');
  mkdirSync(folder, { recursive: true });
  for (const { name, content } of (await bundleCli()).files) writeFileSync(join(folder, name), content);
  const kubeconfig = join(dir, 'kubeconfig');
  const server = cluster.kube('prod').connection.server.href;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server } }],
      contexts: [{ name: 'prod', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
      'current-context': 'prod',
    }),
  );
  const hub = Bun.spawn([process.execPath, '--no-env-file', join(folder, 'main.js'), 'hub', '--port', '0'], {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, INLAY_HOME: join(dir, 'home'), KUBECONFIG: kubeconfig },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  let said = '';
  for await (const chunk of hub.stdout.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    if (said.includes('hub  http')) break;
  }
  const url = /^dashboard {2}(http:\S+\/)$/m.exec(said)?.[1] ?? '';
  const sizes: number[] = [];
  for (const [file, type] of [
    ['', 'text/html'],
    ['dashboard/dashboard.js', 'text/javascript'],
    ['dashboard/dashboard.css', 'text/css'],
    ['dashboard/dashboard-icon.svg', 'image/svg+xml'],
  ]) {
    const answer = await fetch(url + file);
    expect([file, answer.status, answer.headers.get('content-type')]).toEqual([file, 200, `${type}; charset=utf-8`]);
    sizes.push((await answer.text()).length);
  }
  expect(sizes.every((size) => size > 100)).toBe(true);
  hub.kill('SIGTERM');
  await hub.exited;
}, 60_000);
