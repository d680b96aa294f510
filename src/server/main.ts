// The program in a model image: everything comes from the environment; --host and --port override it.
import { parseArgs } from 'node:util';
import { InlayError, isInlayError } from '../error/index.ts';
import { openContract, openGolden } from './open-model.ts';
import { runServer } from './run-server.ts';
import { readModelPaths, readSettings } from './settings.ts';

const write = (line: string) => void process.stderr.write(line);
try {
  const { host, port } = readArguments();
  const settings = readSettings({ ...process.env, ...(host ? { HOST: host } : {}), ...(port ? { PORT: port } : {}) });
  const paths = readModelPaths(process.env, process.cwd());
  process.exit(
    await runServer({
      settings,
      modelPath: paths.model,
      open: async () => {
        const contract = await openContract(paths, paths.projectDir);
        return { contract, golden: await openGolden(contract, paths.model) };
      },
      write,
      announce: (line) => void process.stdout.write(line),
      stdout: 1,
    }),
  );
} catch (error) {
  write(
    isInlayError(error)
      ? `error ${error.code}: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ''}`
      : `error INTERNAL: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}

function readArguments(): { host?: string | undefined; port?: string | undefined } {
  try {
    return parseArgs({ options: { host: { type: 'string' }, port: { type: 'string' } } }).values;
  } catch (cause) {
    throw new InlayError('USAGE', (cause as Error).message, { cause, hint: 'It takes --host and --port.' });
  }
}
