/** An array of numbers that JSON numbers can be written to. */
export type Stage = { [index: number]: number; readonly length: number };

/** 10^0 to 10^22 are exact doubles, so that digits / 10^n is rounded once, as the decimal itself would be (Clinger 1990). */
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
/** So many digits always fit in a double's 53 bits. */
const MOST_DIGITS = 15;
const PREFIX = Uint8Array.from('{"data":[', (char) => char.charCodeAt(0));

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const OPEN = 91;
const CLOSE = 93;
const END = 125;

/**
 * Reads `{"data":[[…],[…]]}` of plain decimal numbers from bytes straight into a typed array: what nearly every request
 * is. Whatever is unusual (an exponent, more than 15 digits, another key, a mistake) is left to the general reader, which
 * answers the same numbers or tells what is wrong; nothing that counts has been written then.
 * @param width values a row @param most the largest magnitude that the datatype holds
 * @param stage has room for bytes.length / 2 values behind `at`
 * @returns rows that were read, or 0 for a body that is not of this kind
 */
export function readRows(bytes: Uint8Array, width: number, most: number, stage: Stage, at: number): number {
  const end = bytes.length;
  let i = 0;
  for (let p = 0; p < PREFIX.length; p++) {
    // Python's json.dumps writes a space behind the colon.
    if (p === PREFIX.length - 1) i = blank(bytes, i, end);
    if (bytes[i++] !== PREFIX[p]) return 0;
  }
  let rows = 0;
  let to = at;
  for (;;) {
    i = blank(bytes, i, end);
    if (bytes[i++] !== OPEN) return 0;
    for (let column = 0; column < width; column++) {
      i = blank(bytes, i, end);
      let byte = bytes[i];
      const negative = byte === MINUS;
      if (negative) byte = bytes[++i];
      const start = i;
      let digits = 0;
      while (byte !== undefined && byte >= ZERO && byte <= NINE) {
        digits = digits * 10 + (byte - ZERO);
        byte = bytes[++i];
      }
      let count = i - start;
      // No digit, or a zero before others, is no JSON number.
      if (count === 0 || (count > 1 && bytes[start] === ZERO)) return 0;
      let decimals = 0;
      if (byte === DOT) {
        byte = bytes[++i];
        const first = i;
        while (byte !== undefined && byte >= ZERO && byte <= NINE) {
          digits = digits * 10 + (byte - ZERO);
          byte = bytes[++i];
        }
        decimals = i - first;
        if (decimals === 0) return 0;
        count += decimals;
      }
      if (count > MOST_DIGITS) return 0;
      const value = decimals === 0 ? digits : digits / (POWERS[decimals] as number);
      if (value > most) return 0;
      stage[to++] = negative ? -value : value;
      i = blank(bytes, i, end);
      if (bytes[i++] !== (column === width - 1 ? CLOSE : COMMA)) return 0;
    }
    rows++;
    i = blank(bytes, i, end);
    const next = bytes[i++];
    if (next === CLOSE) break;
    if (next !== COMMA) return 0;
  }
  i = blank(bytes, i, end);
  if (bytes[i++] !== END) return 0;
  return blank(bytes, i, end) === end ? rows : 0;
}

/** The next place without JSON's white space. */
function blank(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end) {
    const byte = bytes[i];
    if (byte !== SPACE && byte !== NEWLINE && byte !== RETURN && byte !== TAB) return i;
    i++;
  }
  return i;
}
