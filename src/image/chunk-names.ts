import { createHash } from 'node:crypto';

/** A bundler's output: its name, and what is in it. */
export interface OutputFile {
  readonly name: string;
  readonly content: Uint8Array;
  /** Not a script of the program's, but a file that it sends. */
  readonly isAsset?: boolean;
}

/** What Bun calls a chunk: a stem, and a hash of where its sources lie. */
const CHUNK = /\b([a-z][a-z0-9-]*)-[0-9a-z]{8}\.js\b/g;

/**
 * Gives chunks names that follow from what is in them. The bundler's own also depend on the folders of the sources, so two
 * clones of one checkout would make two digests. Order and the references between chunks follow.
 */
export function nameByContent(files: readonly OutputFile[]): OutputFile[] {
  const scripts = files.filter(({ name }) => name.endsWith('.js'));
  const known = new Set(scripts.map(({ name }) => name));
  const texts = new Map(scripts.map(({ name, content }) => [name, new TextDecoder().decode(content)]));
  const chunks = [...texts].flatMap(([name, text]) => {
    const [, stem] = /^([a-z][a-z0-9-]*)-[0-9a-z]{8}\.js$/.exec(name) ?? [];
    return stem === undefined ? [] : [{ name, stem, text }];
  });
  /** Names by the chunks' texts, with what these call the others. */
  const namedBy = (called: (found: string, stem: string) => string) =>
    new Map(
      chunks.map(({ name, stem, text }) => {
        const told = text.replace(CHUNK, (found, other: string) => (known.has(found) ? called(found, other) : found));
        return [name, `${stem}-${createHash('sha256').update(told).digest('hex').slice(0, 8)}.js`] as const;
      }),
    );
  const kinds = (all: ReadonlyMap<string, string>) => new Set(all.values()).size;
  // First without the names of others, which are as arbitrary as its own. Chunks that differ in these alone are then told apart.
  let names = namedBy((_, stem) => `${stem}.js`);
  for (;;) {
    const before = names;
    const next = namedBy((found) => before.get(found) ?? found);
    if (kinds(next) <= kinds(names)) break;
    names = next;
  }
  const named = files.map(({ name, content, ...rest }) => {
    const text = texts.get(name);
    const renamed = text?.replace(CHUNK, (found) => names.get(found) ?? found);
    return {
      ...rest,
      name: names.get(name) ?? name,
      content: renamed === undefined ? content : new TextEncoder().encode(renamed),
    };
  });
  // Chunks of the same content, which are empty ones mostly, are one.
  return [...new Map(named.map((file) => [file.name, file])).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
