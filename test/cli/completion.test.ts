import { expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { bashCompletion } from '../../src/cli/completion/bash.ts';
import { commandLineOf } from '../../src/cli/completion/command-line.ts';
import { fishCompletion } from '../../src/cli/completion/fish.ts';
import { zshCompletion } from '../../src/cli/completion/zsh.ts';
import { createProgram } from '../../src/cli/program.ts';

const line = commandLineOf(createProgram());

/** What bash offers after the words, in a folder with `model.onnx` and `data/`. */
async function complete(...words: string[]): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'inlay-completion-'));
  try {
    writeFileSync(join(dir, 'model.onnx'), '');
    await Bun.$`mkdir data`.cwd(dir);
    const script = `${bashCompletion(line)}
COMP_WORDS=(inlay "$@"); COMP_CWORD=$#; _inlay; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const child = Bun.spawn(['bash', '--norc', '-c', script, 'inlay', ...words], { cwd: dir, stdout: 'pipe' });
    return (await new Response(child.stdout).text()).split('\n').filter((word) => word !== '');
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('bash is offered the commands, their flags, the choices of an argument, and files where one is wanted', async () => {
  expect(await complete('ch')).toEqual(['check']);
  expect((await complete('')).toSorted()).toContain('rollback');
  expect(await complete('check', '--js')).toEqual(['--json']);
  expect((await complete('completion', '')).toSorted()).toEqual(['bash', 'fish', 'zsh']);
  expect(await complete('init', '--model', 'mo')).toEqual(['model.onnx']);
  expect(await complete('check', '')).toEqual(['data']);
  expect(await complete('build', '.', '--pl')).toEqual(['--platform']);
});

test('the scripts of other shells name every command and flag', () => {
  for (const script of [zshCompletion(line), fishCompletion(line)]) {
    for (const { name, flags } of line.commands) {
      expect(script).toContain(name);
      for (const { names } of flags) expect(script).toContain((names[0] as string).replace(/^--/, ''));
    }
  }
});

test.each(['bash', 'zsh', 'fish'] as const)('%s reads what would confuse it', (shell) => {
  const odd = new Command('inlay');
  odd
    .command('odd')
    .summary("it's [a] \\ test: $(touch x) `y`")
    .addOption(new Option('--do <what>', 'a "b" \'c\'').choices(['x', 'y']));
  const script = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[shell](commandLineOf(odd));
  const program = Bun.which(shell);
  if (program === null) return; // zsh and fish are not everywhere
  const dir = mkdtempSync(join(tmpdir(), 'inlay-completion-'));
  try {
    const file = join(dir, 'script');
    writeFileSync(file, script);
    chmodSync(file, 0o644);
    const read = Bun.spawnSync([program, '-n', file], { cwd: dir });
    expect([read.stderr.toString(), read.exitCode]).toEqual(['', 0]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
