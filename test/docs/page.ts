/** What a block of shell needs. `checkout` lists npm scripts of this repository, which take minutes: their names are looked up. */
export const NEEDS = ['nothing', 'network', 'registry', 'cluster', 'checkout'] as const;
export type Need = (typeof NEEDS)[number];

export interface Block {
  readonly need: Need;
  /** A server: it goes on while the blocks after it run. */
  readonly serve: boolean;
  readonly text: string;
  readonly line: number;
}

export interface Page {
  readonly path: string;
  readonly blocks: readonly Block[];
  /** The folder that its commands are run in a copy of. */
  readonly project: string;
  /** Where the page begins before there is one. */
  readonly withoutConfig: boolean;
}

/** A line of another block that is a command all the same, and so would escape. */
const COMMAND =
  /^\s*(\$ |(inlay|npm|npx|bun|curl|kubectl|docker|podman|runc|cosign|skopeo|git|pip|python3?|apt-get|sudo|source) [^|(=:]*$)/;

/** @throws Error for a command outside of a block of shell, and for a block that says something unknown */
export function parsePage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const [, project = 'examples/iris', without] =
    /<!-- commands run in a copy of (\S+)(, without inlay.yaml)? -->/.exec(text) ?? [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (!fence) {
      if (/^ {4}/.test(line) && COMMAND.test(line)) throw new Error(`${path}:${i + 1}: a command outside of \`\`\`sh`);
      continue;
    }
    const [language, ...words] = (fence[2] as string).trim().split(/\s+/);
    const start = i + 1;
    while (++i < lines.length && !(lines[i] as string).trim().startsWith('```'));
    const inside = lines.slice(start, i).map((inner) => inner.slice((fence[1] as string).length));
    if (language === 'sh') {
      const need = words.find((word): word is Need => (NEEDS as readonly string[]).includes(word)) ?? 'nothing';
      const unknown = words.filter((word) => word !== need && word !== 'serve');
      if (unknown.length > 0) throw new Error(`${path}:${start}: \`\`\`sh ${unknown.join(' ')}`);
      blocks.push({ need, serve: words.includes('serve'), text: inside.join('\n'), line: start + 1 });
      continue;
    }
    const escaped = language === 'dockerfile' ? -1 : inside.findIndex((inner) => COMMAND.test(inner));
    if (escaped >= 0) throw new Error(`${path}:${start + escaped + 1}: a command outside of \`\`\`sh`);
  }
  return { path, blocks, project, withoutConfig: without !== undefined };
}

/** The scripts of package.json that a block of `checkout` names. @throws Error for a line that is none */
export function scriptsOf({ path, blocks }: Page): string[] {
  return blocks
    .filter(({ need }) => need === 'checkout')
    .flatMap(({ text, line }) =>
      text.split('\n').map((command, i) => {
        const [, script] = /^npm (?:run )?([a-z0-9:-]+)(?= |$)/.exec(command) ?? [];
        if (script === undefined) throw new Error(`${path}:${line + i}: ${command} is no npm script`);
        return script;
      }),
    );
}
