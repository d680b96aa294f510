import type { CommandLine, CompletedCommand, Values } from './command-line.ts';

/** A script for bash 3.2 and later, without bash-completion. */
export function bashCompletion({ program, commands }: CommandLine): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# Completion of ${program} for bash: source <(${program} completion bash)
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= place=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -*) ;;
      *) if [ -z "$command" ]; then command=\${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;
    esac
  done
  case $command in
    '') COMPREPLY=($(compgen -W '${names} --help --version' -- "$current")) ;;
${commands.map(commandCase).join('\n')}
  esac
}
complete -o bashdefault -F _${program} ${program}
`;
}

function commandCase({ name, flags, values }: CompletedCommand): string {
  const valued = flags.filter((flag) => flag.values !== undefined);
  const all = flags.flatMap((flag) => flag.names).join(' ');
  const places = values.map((value, i) => `${i === values.length - 1 ? '*' : i}) ${reply(value)} ;;`);
  return [
    `    ${name})`,
    '      case $before in',
    ...valued.map((flag) => `        ${flag.names.join(' | ')}) ${reply(flag.values ?? 'unknown')}; return ;;`),
    '      esac',
    '      case $current in',
    `        -*) COMPREPLY=($(compgen -W '${all}' -- "$current")) ;;`,
    `        *) case $place in ${places.join(' ')} esac ;;`,
    '      esac ;;',
  ].join('\n');
}

function reply(values: Values): string {
  if (values === 'files') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current"))';
  if (values === 'folders') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current"))';
  return values === 'unknown' ? ':' : `COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$current"))`;
}
