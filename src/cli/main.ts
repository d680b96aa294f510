import { CommanderError } from '@commander-js/extra-typings';
import { EXIT, reportError } from './output.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  // commander has told what is wrong with the command line, or printed the help that was asked for.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  else process.exitCode = reportError(error, process.argv.includes('--json'));
}
