import { createInterface } from 'node:readline/promises';
import type { Command } from '@commander-js/extra-typings';
import { createOutput } from '../output.ts';

export function addInit(program: Command): void {
  program
    .command('init')
    .summary('write inlay.yaml for a model')
    .description(
      'Reads the ONNX file in a folder, or the folder of an MLflow model, and writes inlay.yaml, with the labels, golden cases and metrics that lie there. Asks only at a terminal. Never overwrites.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--model <file>', 'the ONNX file, where there are several')
    .action(async (dir, options) => {
      const { initProject } = await import('../../check/index.ts');
      const terminal = process.stdin.isTTY && process.stderr.isTTY ? openTerminal() : undefined;
      const { path, summary } = await initProject(dir, { model: options.model, ask: terminal?.ask }).finally(() =>
        terminal?.close(),
      );
      createOutput(false).result(
        `Read ${summary}\nWrote ${path}. Next: inlay check${dir === '.' ? '' : ` ${dir}`}`,
        undefined,
      );
    });
}

/** Asks on the terminal; questions go to stderr, as all progress does. */
function openTerminal() {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return {
    ask: async (question: string, suggestion: string) =>
      (await lines.question(`${question}${suggestion === '' ? '' : ` [${suggestion}]`}: `)) || suggestion,
    close: () => lines.close(),
  };
}
