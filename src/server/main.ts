// The program in a model image: everything comes from the environment.
import { isInlayError } from '../error/index.ts';
import { openContract } from './open-model.ts';
import { runServer } from './run-server.ts';
import { readModelPaths, readSettings } from './settings.ts';

const write = (line: string) => void process.stderr.write(line);
try {
  const settings = readSettings(process.env);
  const paths = readModelPaths(process.env, process.cwd());
  process.exit(
    await runServer({
      settings,
      modelPath: paths.model,
      contract: () => openContract(paths),
      write,
      announce: (line) => void process.stdout.write(line),
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
