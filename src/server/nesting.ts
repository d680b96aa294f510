/** Lists and objects may stand so deep within each other: no tensor has as many dimensions, and readers recurse. */
export const MOST_NESTED = 64;
/** So many lists and objects a text may have: each takes some 100 bytes once it is read, an empty one 3 in the text. */
export const MOST_LISTS = 1_000_000;

/** `deep`: beyond `MOST_NESTED`; `many`: beyond `MOST_LISTS`. */
export type NestingFault = 'deep' | 'many';

const OPENING = /[[{]/g;
const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const OPEN_OBJECT = 123;
const CLOSE_LIST = 93;
const CLOSE_OBJECT = 125;

/** Why a JSON text is not read, the first that is found; of a text that is no JSON the answer does not matter. */
export function nestingFault(text: string): NestingFault | undefined {
  return text.length > 2 * MOST_NESTED && hasManyOpenings(text) ? faultOf(text) : undefined;
}

/** Most bodies have a few lists; those that have not enough of them cannot nest deeply. */
function hasManyOpenings(text: string): boolean {
  OPENING.lastIndex = 0;
  for (let count = 0; count <= MOST_NESTED; count++) if (!OPENING.test(text)) return false;
  return true;
}

function faultOf(text: string): NestingFault | undefined {
  let depth = 0;
  let lists = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (quoted) {
      if (char === BACKSLASH) i++;
      else if (char === QUOTE) quoted = false;
    } else if (char === QUOTE) quoted = true;
    else if (char === OPEN_LIST || char === OPEN_OBJECT) {
      if (++depth > MOST_NESTED) return 'deep';
      if (++lists > MOST_LISTS) return 'many';
    } else if (char === CLOSE_LIST || char === CLOSE_OBJECT) depth--;
  }
  return undefined;
}
