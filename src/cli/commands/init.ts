import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import { inlayHome } from '../home.ts';
import { createOutput, type Output } from '../output.ts';

export function addInit(program: Command): void {
  program
    .command('init')
    .summary('write inlay.yaml for a model')
    .description(
      'Reads the ONNX file in a folder, or the folder of an MLflow model, and writes inlay.yaml, with the labels, golden cases and metrics that lie there. Asks only at a terminal. Never overwrites. With --train it runs the training first, in an environment of its own made from requirements.txt.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--model <file>', 'the ONNX file, where there are several')
    .option('--name <name>', 'of the service, a DNS label (default: what the model suggests)')
    .option('--image <repository>', 'where it is pushed to: REGISTRY/REPOSITORY')
    .option(
      '--train [command]',
      'train first, and have inlay release do so: a command (python train.py where none is named)',
    )
    .action(async (dir, options) => {
      const { initProject } = await import('../../check/index.ts');
      const output = createOutput(false);
      const terminal = process.stdin.isTTY && process.stderr.isTTY ? openTerminal() : undefined;
      const command = options.train === true ? 'python train.py' : options.train;
      const { model, name, image } = options;
      const { path, summary } = await (async () => {
        const trained = command === undefined ? undefined : await trainFirst(dir, command, output);
        const written = await initProject(dir, { model, name, image, train: command, ask: terminal?.ask });
        await trained?.keep();
        return written;
      })().finally(() => terminal?.close());
      const here = dir === '.' ? '' : ` ${dir}`;
      const next = command === undefined ? `inlay check${here}` : `inlay release${here}`;
      output.result(`Read ${summary}\nWrote ${path}. Next: ${next}`, undefined);
    });
}

/** Trains in a folder that is no project yet. `keep` is for when it is one: the first release then does not train again. */
async function trainFirst(dir: string, command: string, output: Output) {
  const { CONFIG_FILE, readConfig } = await import('../../contract/index.ts');
  const { keepTraining, requirementsOf, runTraining } = await import('../../release/index.ts');
  const path = join(dir, CONFIG_FILE);
  if (existsSync(path))
    throw new InlayError('PROJECT_EXISTS', `${path} is there already`, { hint: `inlay release ${dir} trains.` });
  if (!existsSync(dir)) throw new InlayError('FILE_NOT_FOUND', `there is no folder ${resolve(dir)}`);
  const abort = new AbortController();
  const stop = () => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const stateDir = join(inlayHome(process.env), 'training');
  const show = output.status ?? ((line: string) => output.progress(`  ${line}`));
  try {
    const ran = await runTraining({
      dir,
      command,
      requirements: requirementsOf(dir, {}),
      stateDir,
      env: process.env,
      now: () => new Date(),
      onLine: (line) => show(line),
      signal: abort.signal,
    });
    return { keep: async () => void (await keepTraining({ dir, config: await readConfig(dir), stateDir }, ran)) };
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
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
