import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/** The pages of docs/commands by file name, made from the command line's own definitions. */
export function commandPages(program: CommandUnknownOpts): Map<string, string> {
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help');
  const list = commands.map((command) => `| [${command.name()}](${command.name()}.md) | ${cell(command.summary())} |`);
  const index = `# Commands

Written by \`npm run generate:docs\` from the command line's own definitions. \`inlay COMMAND --help\` says the same.

| command | does |
|---|---|
${list.join('\n')}

Results go to stdout, progress and errors to stderr; \`--json\` prints one document, and errors as one line of JSON. Exit codes: 0 done, 1 the answer is no (a check,
a verdict, a tag in use), 2 a wrong command line or inlay.yaml, 3 something outside failed (registry, cluster, disk), 130 interrupted ([errors](../errors.md)).
`;
  return new Map([
    ['README.md', index],
    ...commands.map((command) => [`${command.name()}.md`, pageOf(command)] as const),
  ]);
}

function pageOf(command: CommandUnknownOpts): string {
  const help = command.createHelp();
  const usage = help.commandUsage(command);
  const args = help.visibleArguments(command).map((argument) => {
    const preset = argument.defaultValue === undefined ? '' : ` (default: ${JSON.stringify(argument.defaultValue)})`;
    const choices = argument.argChoices ? ` (${argument.argChoices.join(', ')})` : '';
    return `| \`${argument.name()}\` | ${cell(argument.description)}${choices}${preset} |`;
  });
  const options = help
    .visibleOptions(command)
    .map((option) => `| \`${cell(option.flags)}\` | ${cell(help.optionDescription(option))} |`);
  return [
    `# inlay ${command.name()}`,
    '',
    `\`${usage}\``,
    '',
    command.description(),
    '',
    ...(args.length > 0 ? ['| argument | |', '|---|---|', ...args, ''] : []),
    '| option | |',
    '|---|---|',
    ...options,
    '',
  ].join('\n');
}

/** What stands in a cell of a table; `<` would begin HTML where it is not code. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
