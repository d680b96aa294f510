import type { Command } from '@commander-js/extra-typings';
import { Argument } from '@commander-js/extra-typings';

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('a script that completes inlay’s words in a shell')
    .description(
      'Prints a script for a shell. bash: source <(inlay completion bash). zsh: source <(inlay completion zsh), after compinit. fish: inlay completion fish | source.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish'] as const))
    .action(async (shell) => {
      const { commandLineOf } = await import('../completion/command-line.ts');
      const { bashCompletion } = await import('../completion/bash.ts');
      const { zshCompletion } = await import('../completion/zsh.ts');
      const { fishCompletion } = await import('../completion/fish.ts');
      const write = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[shell];
      process.stdout.write(write(commandLineOf(program)));
    });
}
