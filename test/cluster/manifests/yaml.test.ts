import { expect, test } from 'bun:test';
import { parse } from 'yaml';
import { type KubeObject, toYaml } from '../../../src/cluster/index.ts';

const ODD = [
  ...['on', 'Off', 'y', 'N', 'yes', 'NO', 'true', 'null', '~', '', ' ', '=', '<<', '.inf', '-.INF', '.nan'],
  ...[
    '0',
    '007',
    '0o17',
    '0x1F',
    '0b101',
    '1_000',
    '1e3',
    '1.',
    '.5',
    '+1',
    '-0',
    '1.10',
    '0.0.1',
    '12:30',
    '12:30:45',
  ],
  ...[
    '2026-11-24',
    '2026-11-24T12:00:00Z',
    '2026-11-24 12:00:00.5 +2',
    '- a',
    '? b',
    'a: b',
    'a #b',
    '#',
    '{',
    '[x]',
    '*a',
    '&a',
    '!b',
  ],
  ...[
    '|',
    '>',
    '%TAG',
    '@x',
    '`x`',
    '"',
    "'",
    '\\',
    '\n',
    'a\nb\n',
    '\t',
    'ü',
    '\u2028',
    '\u0000',
    'x'.repeat(300),
    '300Mi',
    '500m',
    '25%',
  ],
];

test('text stays text for readers of YAML 1.1 and 1.2', () => {
  const labels = Object.fromEntries(ODD.map((text, i) => [`k${i}`, text]));
  const object: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', labels } };
  for (const version of ['1.1', '1.2'] as const) expect(parse(toYaml([object]), { version })).toEqual(object);
});

test('what needs no quotes has none', () => {
  const text = (value: string) =>
    toYaml([{ apiVersion: 'v1', kind: 'Service', metadata: { name: value, labels: {} } }]).match(/name: (.*)/)?.[1];
  expect(['iris', '300Mi', '500m', '25%', '10.0.0.0/8'].map(text)).toEqual([
    'iris',
    '300Mi',
    '500m',
    '25%',
    '10.0.0.0/8',
  ]);
  expect(['0.1', 'on', '0.0.1'].map(text)).toEqual(['"0.1"', '"on"', '"0.0.1"']);
});
