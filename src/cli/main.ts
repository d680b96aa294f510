import { CommanderError } from '@commander-js/extra-typings';
import { EXIT, reportError } from './output.ts';
import { createProgram } from './program.ts';
import { usageError } from './usage-error.ts';

const json = process.argv.includes('--json');
// Whoever read has read enough: inlay manifests | head.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.outside),
);
try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) process.exitCode = reportError(error, json);
  else if (error.exitCode === 0) process.exitCode = EXIT.done;
  // Without a command the help was printed.
  else process.exitCode = error.code === 'commander.help' ? EXIT.usage : reportError(usageError(error), json);
}
