import type { CommandLine, CompletedCommand, Values } from './command-line.ts';

/** A script for zsh's own completion: eval it, or put it on fpath as `_inlay`. */
export function zshCompletion({ program, commands }: CommandLine): string {
  return `#compdef ${program}
# Completion of ${program} for zsh: source <(${program} completion zsh), after compinit
_${program}() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`;
}

function commandCase({ name, flags, values }: CompletedCommand): string {
  const specs = [
    ...flags.flatMap((flag) =>
      flag.names.map(
        (text) => `${text}[${escaped(flag.description)}]${flag.values ? `:value:${action(flag.values)}` : ''}`,
      ),
    ),
    ...values.map((value, i) => `${i === values.length - 1 ? '*' : i + 1}:value:${action(value)}`),
  ];
  return `    ${name}) _arguments ${specs.map(quoted).join(' ')} ;;`;
}

function action(values: Values): string {
  if (values === 'files') return '_files';
  if (values === 'folders') return '_files -/';
  return values === 'unknown' ? ' ' : `(${values.join(' ')})`;
}

const escaped = (text: string) => text.replaceAll(/[[\]:\\]/g, '\\$&');
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
