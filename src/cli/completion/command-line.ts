import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/** What a value may be, as far as a shell can help. */
export type Values = 'files' | 'folders' | 'unknown' | readonly string[];

export interface Flag {
  /** `--json`, `-n`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined where it takes none. */
  readonly values: Values | undefined;
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** Of the arguments, in their order; the last one's stand for all further ones. */
  readonly values: readonly Values[];
}

/** The command line as a shell needs to know it. */
export interface CommandLine {
  readonly program: string;
  readonly commands: readonly CompletedCommand[];
}

/** Reads it from commander's definitions: what is completed is what there is. */
export function commandLineOf(program: CommandUnknownOpts): CommandLine {
  const help = program.createHelp();
  return {
    program: program.name(),
    commands: help.visibleCommands(program).map((command) => ({
      name: command.name(),
      summary: command.summary() || command.description(),
      flags: help.visibleOptions(command).map((option) => ({
        names: [option.long, option.short].filter((name) => name !== undefined),
        description: option.description,
        values:
          option.required || option.optional
            ? (option.argChoices ?? kindOf(/[<[](.+?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1] ?? ''))
            : undefined,
      })),
      values: command.registeredArguments.map((argument) => argument.argChoices ?? kindOf(argument.name())),
    })),
  };
}

/** By the word that stands for a value in the help. */
function kindOf(word: string): Values {
  if (/^(dir|folder)$/.test(word)) return 'folders';
  // `diff` takes folders and images.
  return /file|path|^(from|to)$/.test(word) ? 'files' : 'unknown';
}
