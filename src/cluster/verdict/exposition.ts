import { InlayError } from '../../error/index.ts';

/** One line of a page: a series and its value. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** A page of /metrics, read. */
export interface Samples {
  /** What `# TYPE` said, by family: `counter`, `histogram`, … */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
}

/** A page of inlay's own server has some 2000 lines at most, of 100 bytes. */
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_SAMPLES = 50_000;
const MOST_LABELS = 64;

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const BLANKS = /[ \t]*/y;
const WORD = /[^ \t]+/y;
const QUOTED = /"((?:[^"\\\n]|\\.)*)"/y;
/** Go's ParseFloat without its hexadecimal and underscore forms, which nobody writes. */
const NUMBER = /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf|infinity|nan)$/i;

/**
 * Reads Prometheus' text exposition format 0.0.4, and of OpenMetrics 1.0 what goes beyond it: `# EOF`, `# UNIT`, exemplars,
 * timestamps with a fraction. Comments are skipped, timestamps and exemplars dropped. A page that is not in the format
 * is refused whole: half a page would be numbers that are wrong.
 * @throws EXPOSITION_INVALID with the line's number
 */
export function parseExposition(text: string): Samples {
  if (text.length > MOST_BYTES) throw invalid(`more than ${MOST_BYTES} characters`);
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] as string).replace(/\r$/, '').trim();
    if (line === '') continue;
    if (line === '# EOF') {
      if (lines.slice(at + 1).some((rest) => rest.trim() !== '')) throw invalid('text after # EOF', at);
      break;
    }
    if (line.startsWith('#')) {
      readType(line, types, at);
      continue;
    }
    if (samples.length === MOST_SAMPLES) throw invalid(`more than ${MOST_SAMPLES} samples`, at);
    samples.push(readSample(line, at));
  }
  return { types, samples };
}

function readType(line: string, types: Map<string, string>, at: number): void {
  const words = line.split(/[ \t]+/);
  if (words[0] !== '#' || words[1] !== 'TYPE') return;
  const [, , family, type] = words;
  if (words.length !== 4 || family === undefined || type === undefined || !isWhole(METRIC_NAME, family))
    throw invalid('# TYPE wants a name and a type', at);
  if (types.has(family)) throw invalid(`a second # TYPE of ${shown(family)}`, at);
  types.set(family, type);
}

function readSample(line: string, at: number): Sample {
  const reader = new LineReader(line);
  const name = reader.take(METRIC_NAME);
  if (name === undefined) throw invalid(`no metric's name in ${shown(line)}`, at);
  reader.take(BLANKS);
  const labels = readLabels(reader, at);
  reader.take(BLANKS);
  const value = numberOf(reader.take(WORD));
  if (value === undefined) throw invalid(`no value in ${shown(line)}`, at);
  reader.take(BLANKS);
  if (!reader.isAt('#') && !reader.isDone()) {
    if (numberOf(reader.take(WORD)) === undefined) throw invalid(`no timestamp in ${shown(line)}`, at);
    reader.take(BLANKS);
  }
  // An exemplar: labels and a value of one observation, which nothing here asks for.
  if (!reader.isAt('#') && !reader.isDone()) throw invalid(`more than value and timestamp in ${shown(line)}`, at);
  return { name, labels, value };
}

function readLabels(reader: LineReader, at: number): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  if (!reader.skip('{')) return labels;
  for (;;) {
    reader.take(BLANKS);
    if (reader.skip('}')) return labels;
    const name = reader.take(LABEL_NAME);
    reader.take(BLANKS);
    const equals = reader.skip('=');
    reader.take(BLANKS);
    const quoted = reader.take(QUOTED);
    if (name === undefined || !equals || quoted === undefined) throw invalid('labels that are not name="value"', at);
    if (labels.has(name)) throw invalid(`label ${shown(name)} twice`, at);
    if (labels.size === MOST_LABELS) throw invalid(`more than ${MOST_LABELS} labels`, at);
    labels.set(name, unescaped(quoted.slice(1, -1)));
    reader.take(BLANKS);
    if (!reader.skip(',') && !reader.isAt('}')) throw invalid('labels without a comma or an end', at);
  }
}

/** `\\`, `\"` and `\n`; Prometheus' own parser leaves any other escape as it is. */
function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character))
    : text;
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || !NUMBER.test(text)) return undefined;
  const word = text.toLowerCase().replace(/^[+-]/, '');
  if (word === 'nan') return Number.NaN;
  if (word.startsWith('inf')) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

/** A place in a line, moved forward by what is taken. */
class LineReader {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  /** @param pattern sticky */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#line) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  isAt(character: string): boolean {
    return this.#line[this.#at] === character;
  }

  skip(character: string): boolean {
    const there = this.isAt(character);
    if (there) this.#at++;
    return there;
  }

  isDone(): boolean {
    return this.#at >= this.#line.length;
  }
}

function isWhole(pattern: RegExp, text: string): boolean {
  pattern.lastIndex = 0;
  return pattern.exec(text)?.[0] === text;
}

/** Text from outside, short and without control characters. */
function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function invalid(why: string, at?: number): InlayError {
  const where = at === undefined ? '' : `line ${at + 1}: `;
  return new InlayError('EXPOSITION_INVALID', `a page of metrics cannot be read: ${where}${why}`, {
    hint: 'Is it the /metrics of a server that inlay made? Others are not judged.',
  });
}
