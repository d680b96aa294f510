import { expect, test } from 'bun:test';
import { parseExposition } from '../../../src/cluster/index.ts';
import { isInlayError } from '../../../src/error/index.ts';
import { randomOf } from './windows.ts';

const only = (text: string) => {
  const { samples } = parseExposition(text);
  expect(samples.length).toBe(1);
  const { name, labels, value } = samples[0] as (typeof samples)[number];
  return { name, labels: Object.fromEntries(labels), value };
};
const codeOf = (text: string) => {
  try {
    parseExposition(text);
    return 'read';
  } catch (error) {
    if (!isInlayError(error)) throw error;
    return error.code;
  }
};

test('a page of the text format 0.0.4 is read: comments, types, labels, escapes, timestamps, blanks', () => {
  const page = parseExposition(`# A comment, and the TYPE of nothing.
# HELP http_requests_total Requests \\\\ by code.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000

  http_requests_total { method = "get" , code = "400" , }\t3
# TYPE rpc:seconds summary
rpc:seconds{quantile="0.5"} 4.7e-3
odd{path="C:\\\\DIR\\\\",say="a \\"b\\"\\nc \\x, {d}=#"} -1.5
`);
  expect(Object.fromEntries(page.types)).toEqual({ http_requests_total: 'counter', 'rpc:seconds': 'summary' });
  expect(page.samples.map(({ name, labels, value }) => [name, Object.fromEntries(labels), value])).toEqual([
    ['http_requests_total', { method: 'post', code: '200' }, 1027],
    ['http_requests_total', { method: 'get', code: '400' }, 3],
    ['rpc:seconds', { quantile: '0.5' }, 0.0047],
    ['odd', { path: 'C:\\DIR\\', say: 'a "b"\nc \\x, {d}=#' }, -1.5],
  ]);
});

test('what OpenMetrics has beyond it is read over: # EOF, # UNIT, exemplars, timestamps with a fraction, CRLF', () => {
  const page = parseExposition(
    '# TYPE a histogram\r\n# UNIT a seconds\r\na_bucket{le="0.1"} 8 1520879607.789 # {trace_id="x y"} 0.05 1520879607.7\r\na_bucket{le="+Inf"} 9 # {} 0.2\r\n# EOF\r\n',
  );
  expect(page.samples.map(({ labels, value }) => [labels.get('le'), value])).toEqual([
    ['0.1', 8],
    ['+Inf', 9],
  ]);
});

test('numbers are Go floats: +Inf, -Inf, NaN, exponents; nothing else', () => {
  const value = (text: string) => only(`a ${text}`).value;
  expect(['1', '+1.', '.5', '-2e3', '1E-2', '+Inf', '-inf', 'NaN', '1e999'].map(value)).toEqual([
    1,
    1,
    0.5,
    -2000,
    0.01,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]);
  for (const text of ['', '0x10', '1_000', '1,5', '--1', 'e5', '.', 'one', '1 2 3', '1 now'])
    expect([text, codeOf(`a ${text}`)]).toEqual([text, 'EXPOSITION_INVALID']);
});

test("labels named as an object's own members are labels like others", () => {
  expect(only('a{__proto__="x",constructor="y",toString="z"} 1').labels).toEqual(
    Object.fromEntries([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['toString', 'z'],
    ]),
  );
});

test('a page that is not in the format is refused whole', () => {
  for (const text of [
    'a{b="c"',
    'a{b="c} 1',
    'a{b=c} 1',
    'a{="c"} 1',
    'a{b="c" d="e"} 1',
    'a{b="c",b="d"} 1',
    'a{,} 1',
    '{b="c"} 1',
    '1a 1',
    'ü 1',
    'a 1\nb',
    '# TYPE a counter\n# TYPE a gauge\n',
    '# TYPE a\n',
    '# TYPE 1 counter\n',
    '# EOF\na 1\n',
    '<!doctype html><title>502</title>',
    '{"error":{"code":"NOT_FOUND"}}',
    `a{${Array.from({ length: 65 }, (_, at) => `l${at}="x"`).join(',')}} 1`,
    'a 1\n'.repeat(50_001),
    'x'.repeat(8 * 1024 * 1024 + 1),
  ])
    expect([text.slice(0, 40), codeOf(text)]).toEqual([text.slice(0, 40), 'EXPOSITION_INVALID']);
  expect(codeOf('')).toBe('read');
  expect(codeOf('a 1')).toBe('read');
});

test('the error tells the line', () => {
  expect(() => parseExposition('a 1\n\nb{ 1\n')).toThrow(/line 3/);
});

test('whatever comes, it is read or refused with the one code', () => {
  const page = `# TYPE a_bucket histogram\na_bucket{le="0.1",route="/pre\\"dict"} 12 1395066363000\na{b="c"} +Inf # {d="e"} 1 2\n# EOF\n`;
  const alphabet = [...'{}"\\=,# \n\t\r\0aA1.+-eNIfn_:é\u{1f4a5}', '# TYPE ', '\\n', 'NaN', '+Inf', '# EOF'];
  const random = randomOf(1);
  const pick = (below: number) => Math.floor(random() * below);
  const seen = { read: 0, EXPOSITION_INVALID: 0 };
  for (let run = 0; run < 20_000; run++) {
    let text = run % 2 === 0 ? page : '';
    for (let change = pick(12); change >= 0; change--) {
      const [from, cut] = [pick(text.length + 1), pick(4)];
      text = text.slice(0, from) + (alphabet[pick(alphabet.length)] ?? '').repeat(1 + pick(3)) + text.slice(from + cut);
    }
    seen[codeOf(text) as keyof typeof seen]++;
  }
  expect(seen.read + seen.EXPOSITION_INVALID).toBe(20_000);
  // Both happen often: the fuzz is neither all noise nor all valid.
  expect(seen.read).toBeGreaterThan(500);
  expect(seen.EXPOSITION_INVALID).toBeGreaterThan(5000);
});

test('long lines of openings are no work: a megabyte of them is refused at once', () => {
  for (const text of ['{'.repeat(1e6), `a{${'b="'.repeat(3e5)}`, `a{b="${'\\'.repeat(1e6)}`, `a${' '.repeat(1e6)}`])
    expect(codeOf(text)).toBe('EXPOSITION_INVALID');
});

test('what is written is read: any labels, any value', () => {
  const random = randomOf(2);
  const characters = [...'a"\\\n{}=,# é'];
  for (let run = 0; run < 2000; run++) {
    const word = Array.from({ length: Math.floor(random() * 8) }, () => characters[Math.floor(random() * 11)]).join('');
    const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    const value = (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20);
    expect(only(`m{a="${escaped}"} ${value}`)).toEqual({ name: 'm', labels: { a: word }, value });
  }
});
