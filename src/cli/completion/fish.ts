import type { CommandLine, CompletedCommand, Values } from './command-line.ts';

/** A script for fish 3 and later. */
export function fishCompletion({ program, commands }: CommandLine): string {
  return `# Completion of ${program} for fish: ${program} completion fish | source
complete -c ${program} -f
${commands.map((command) => commandLines(program, command).join('\n')).join('\n')}
`;
}

function commandLines(program: string, { name, summary, flags, values }: CompletedCommand): string[] {
  const inside = `-n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...flags.map((flag) => {
      const names = flag.names.map((text) => (text.startsWith('--') ? `-l ${text.slice(2)}` : `-s ${text.slice(1)}`));
      const takes = flag.values === undefined ? '' : ` -r${argument(flag.values)}`;
      return `complete -c ${program} ${inside} ${names.join(' ')}${takes} -d ${quoted(flag.description)}`;
    }),
    ...[...new Set(values.map(argument))]
      .filter((text) => text !== '')
      .map((text) => `complete -c ${program} ${inside}${text}`),
  ];
}

function argument(values: Values): string {
  if (values === 'files') return ' -F';
  if (values === 'folders') return " -a '(__fish_complete_directories)'";
  return values === 'unknown' ? '' : ` -a ${quoted(values.join(' '))}`;
}

const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
