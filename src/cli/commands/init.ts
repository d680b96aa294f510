import type { Command } from '@commander-js/extra-typings';
import { createOutput } from '../output.ts';

export function addInit(program: Command): void {
  program
    .command('init')
    .summary('write inlay.yaml for a model')
    .description(
      'Reads the ONNX file in a folder and writes inlay.yaml, with the labels, golden cases and metrics that lie there. Never overwrites.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--model <file>', 'the ONNX file, where there are several')
    .action(async (dir, options) => {
      const { initProject } = await import('../../check/index.ts');
      const { path, summary } = await initProject(dir, options.model);
      createOutput(false).result(
        `Read ${summary}\nWrote ${path}. Next: inlay check${dir === '.' ? '' : ` ${dir}`}`,
        undefined,
      );
    });
}
