import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import { offerOnnxRuntime } from '../onnx-runtime.ts';
import { createOutput } from '../output.ts';

export function addServe(program: Command): void {
  program
    .command('serve')
    .summary('serve a project on this machine')
    .description(
      'Starts the server of the image on the local files, for development. The environment variables of the image apply (docs/server.md).',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one (default: PORT, or 8000)')
    .action(async (dir, options) => {
      const { readProject } = await import('../../contract/index.ts');
      const { readSettings, runServer } = await import('../../server/index.ts');
      const settings = readSettings({
        ...process.env,
        HOST: options.host,
        ...(options.port === undefined ? {} : { PORT: options.port }),
      });
      await offerOnnxRuntime(createOutput(false));
      const project = await readProject(dir);
      const code = await runServer({
        settings,
        modelPath: project.modelPath,
        open: async () => ({
          contract: project.contract,
          golden: project.golden?.cases,
          transform: project.transform?.dir,
        }),
        write: (line) => void process.stderr.write(line),
        announce: (line) => void process.stdout.write(line),
        stdout: 1,
      });
      if (code !== 0)
        throw new InlayError('MODEL_LOAD_FAILED', `the model cannot be served; the log above says why`, {
          hint: 'inlay check tells more.',
        });
    });
}
