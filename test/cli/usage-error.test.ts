import { expect, test } from 'bun:test';
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
