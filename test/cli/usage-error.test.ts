import { expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const INLAY = join(import.meta.dir, '../../bin/inlay');

function inlay(...args: string[]) {
  const { stdout, stderr, exitCode } = Bun.spawnSync([INLAY, ...args], { env: { ...process.env, NO_COLOR: '1' } });
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
}

test.each([
  [['chek'], 'check'],
  [['check', '--jsn'], '--json'],
  [['build', '--platfrom', 'linux/amd64'], '--platform'],
])('%j is refused, and what was meant is named', (args, meant) => {
  const { stdout, stderr, exitCode } = inlay(...args);
  expect([stdout, exitCode]).toEqual(['', 2]);
  expect(stderr).toStartWith('error USAGE: ');
  expect(stderr).toContain(`Did you mean ${meant}?`);
});

test('with --json a wrong command line is told as JSON', () => {
  const { stderr, exitCode } = inlay('deploy', '--json');
  expect(exitCode).toBe(2);
  expect(JSON.parse(stderr).error.code).toBe('USAGE');
});

test('without a command the help is told, and with --help it is the result', () => {
  expect(inlay()).toMatchObject({ stdout: '', exitCode: 2 });
  const { stdout, exitCode } = inlay('build', '--help');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('--platform <list>');
  expect(stdout).not.toContain('\x1b');
});

test('without a kubeconfig no cluster is made up', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'inlay-'));
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST, ...env } = process.env;
  const { stderr, exitCode } = Bun.spawnSync([INLAY, 'status', 'iris', '--json'], { env: { ...env, HOME: empty } });
  await rm(empty, { recursive: true });
  expect(exitCode).toBe(2);
  expect(JSON.parse(stderr.toString()).error).toMatchObject({
    code: 'KUBECONFIG_INVALID',
    message: expect.stringContaining('no cluster is known'),
  });
});
