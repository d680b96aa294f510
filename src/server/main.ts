// The program in a model image: everything comes from the environment; --host and --port override it.
import { InlayError, isInlayError } from '../error/index.ts';
import { lineWriter } from './line-writer.ts';
import { readModelPaths } from './model-paths.ts';
import { openContract, openGolden } from './open-model.ts';
import { runServer } from './run-server.ts';
import { readSettings } from './settings.ts';
import { openTransform } from './transform/index.ts';

const write = lineWriter(Bun.stderr);
void main();

async function main(): Promise<void> {
  try {
    const { host, port } = process.argv.length > 2 ? await readArguments() : {};
    const settings = readSettings({ ...process.env, ...(host ? { HOST: host } : {}), ...(port ? { PORT: port } : {}) });
    const paths = readModelPaths(process.env, process.cwd());
    process.exit(
      await runServer({
        settings,
        modelPath: paths.model,
        open: async () => {
          const contract = await openContract(paths, paths.projectDir);
          const transform = await openTransform(contract, paths.transform);
          return { contract, golden: await openGolden(contract, paths.model), transform };
        },
        write,
        announce: lineWriter(Bun.stdout),
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
}

async function readArguments(): Promise<{ host?: string | undefined; port?: string | undefined }> {
  const { parseArgs } = await import('node:util');
  try {
    return parseArgs({ options: { host: { type: 'string' }, port: { type: 'string' } } }).values;
  } catch (cause) {
    throw new InlayError('USAGE', (cause as Error).message, { cause, hint: 'It takes --host and --port.' });
  }
}
