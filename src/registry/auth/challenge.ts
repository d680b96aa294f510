/** One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly params: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const SPACE = /[\s,]*/y;
const EQUALS = /\s*=\s*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;
const BARE = /[^\s,"]+/y;

/**
 * All challenges of a header: several may stand in one, between commas, and values hold commas in their quotes
 * (`scope="repository:a:pull,push"`). Whatever does not parse ends the list, as browsers do.
 */
export function parseChallenges(header: string): Challenge[] {
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (!found) return undefined;
    at = pattern.lastIndex;
    return found[1] ?? found[0];
  };
  const challenges: { scheme: string; params: Record<string, string> }[] = [];
  while (at < header.length) {
    take(SPACE);
    const word = take(TOKEN);
    if (word === undefined) break;
    const current = challenges.at(-1);
    const before = at;
    if (current && take(EQUALS) !== undefined) {
      const quoted = take(QUOTED);
      const value = quoted?.replace(/\\(.)/g, '$1') ?? take(BARE);
      if (value === undefined) break;
      current.params[word.toLowerCase()] = value;
      continue;
    }
    at = before;
    challenges.push({ scheme: word.toLowerCase(), params: {} });
    // A token68 after the scheme (Negotiate) holds nothing that we use.
    take(/\s+/y);
    take(TOKEN68);
  }
  return challenges;
}
