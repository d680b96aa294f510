/** An array of numbers that JSON numbers can be written to. */
export type Stage = { [index: number]: number; readonly length: number };

/** 10^0 to 10^22 are exact doubles, so that digits / 10^n is rounded once, as the decimal itself would be (Clinger 1990). */
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
/** So many digits always fit in a double's 53 bits. */
const MOST_DIGITS = 15;
const PREFIX = '{"data":';

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
 * Reads `{"data":[[…],[…]]}` of plain decimal numbers straight into a typed array: what nearly every request
 * is. Whatever is unusual (an exponent, more than 15 digits, another key, a mistake) is left to the general reader, which
 * answers the same numbers or tells what is wrong; nothing that counts has been written then.
 * @param width values a row @param most the largest magnitude that the datatype holds
 * @param stage has room for text.length / 2 values behind `at`: a value takes a digit and what ends it
 * @returns rows that were read, or 0 for a body that is not of this kind
 */
export function readRows(text: string, width: number, most: number, stage: Stage, at: number): number {
  if (!text.startsWith(PREFIX)) return 0;
  // Python's json.dumps writes a space behind the colon.
  let i = blank(text, PREFIX.length);
  if (text.charCodeAt(i++) !== OPEN) return 0;
  let rows = 0;
  let to = at;
  for (;;) {
    i = blank(text, i);
    if (text.charCodeAt(i++) !== OPEN) return 0;
    for (let column = 0; column < width; column++) {
      i = blank(text, i);
      let char = text.charCodeAt(i);
      const negative = char === MINUS;
      if (negative) char = text.charCodeAt(++i);
      const start = i;
      let digits = 0;
      while (char >= ZERO && char <= NINE) {
        digits = digits * 10 + (char - ZERO);
        char = text.charCodeAt(++i);
      }
      let count = i - start;
      // No digit, or a zero before others, is no JSON number.
      if (count === 0 || (count > 1 && text.charCodeAt(start) === ZERO)) return 0;
      let decimals = 0;
      if (char === DOT) {
        char = text.charCodeAt(++i);
        const first = i;
        while (char >= ZERO && char <= NINE) {
          digits = digits * 10 + (char - ZERO);
          char = text.charCodeAt(++i);
        }
        decimals = i - first;
        if (decimals === 0) return 0;
        count += decimals;
      }
      if (count > MOST_DIGITS) return 0;
      const value = decimals === 0 ? digits : digits / (POWERS[decimals] as number);
      if (value > most) return 0;
      stage[to++] = negative ? -value : value;
      i = blank(text, i);
      if (text.charCodeAt(i++) !== (column === width - 1 ? CLOSE : COMMA)) return 0;
    }
    rows++;
    i = blank(text, i);
    const next = text.charCodeAt(i++);
    if (next === CLOSE) break;
    if (next !== COMMA) return 0;
  }
  i = blank(text, i);
  if (text.charCodeAt(i++) !== END) return 0;
  return blank(text, i) === text.length ? rows : 0;
}

/** The next place without JSON's white space. */
function blank(text: string, from: number): number {
  let i = from;
  for (;;) {
    const char = text.charCodeAt(i);
    if (char !== SPACE && char !== NEWLINE && char !== RETURN && char !== TAB) return i;
    i++;
  }
}
