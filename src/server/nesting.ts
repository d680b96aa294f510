/** Lists and objects may stand so deep within each other: no tensor has as many dimensions, and readers recurse. */
export const MOST_NESTED = 64;

const OPENING = /[[{]/g;
const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const OPEN_OBJECT = 123;
const CLOSE_LIST = 93;
const CLOSE_OBJECT = 125;

/** Whether a JSON text nests deeper than `MOST_NESTED`; of a text that is no JSON the answer does not matter. */
export function isNestedTooDeeply(text: string): boolean {
  return text.length > 2 * MOST_NESTED && hasManyOpenings(text) && depthExceeds(text);
}

/** Most bodies have a few lists; those that have not enough of them cannot nest deeply. */
function hasManyOpenings(text: string): boolean {
  OPENING.lastIndex = 0;
  for (let count = 0; count <= MOST_NESTED; count++) if (!OPENING.test(text)) return false;
  return true;
}

function depthExceeds(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (quoted) {
      if (char === BACKSLASH) i++;
      else if (char === QUOTE) quoted = false;
    } else if (char === QUOTE) quoted = true;
    else if (char === OPEN_LIST || char === OPEN_OBJECT) {
      if (++depth > MOST_NESTED) return true;
    } else if (char === CLOSE_LIST || char === CLOSE_OBJECT) depth--;
  }
  return false;
}
