import { createHash } from 'node:crypto';

/** A bundler's output: its name, and what is in it. */
export interface OutputFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/** What Bun calls a chunk: a stem, and a hash of where its sources lie. */
const CHUNK = /\b([a-z-]+)-[0-9a-z]{8}\.js\b/g;

/**
 * Gives chunks names that follow from what is in them. The bundler's own also depend on the folders of the sources, so two
 * clones of one checkout would make two digests. Order and the references between chunks follow.
 */
export function nameByContent(files: readonly OutputFile[]): OutputFile[] {
  const scripts = files.filter(({ name }) => name.endsWith('.js'));
  const known = new Set(scripts.map(({ name }) => name));
  const texts = new Map(scripts.map(({ name, content }) => [name, new TextDecoder().decode(content)]));
  const names = new Map<string, string>();
  for (const [name, text] of texts) {
    const [, stem] = /^([a-z-]+)-[0-9a-z]{8}\.js$/.exec(name) ?? [];
    if (stem === undefined) continue;
    // Without the names of others, which are as arbitrary as its own.
    const bare = text.replace(CHUNK, (found, other: string) => (known.has(found) ? `${other}.js` : found));
    names.set(name, `${stem}-${createHash('sha256').update(bare).digest('hex').slice(0, 8)}.js`);
  }
  return files
    .map(({ name, content }) => {
      const text = texts.get(name);
      const renamed = text?.replace(CHUNK, (found) => names.get(found) ?? found);
      return {
        name: names.get(name) ?? name,
        content: renamed === undefined ? content : new TextEncoder().encode(renamed),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
