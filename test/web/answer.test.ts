import { describe, expect, test } from 'bun:test';
import { type Answer, answerOf, answerOfBody, summaryOf } from '../../src/web/playground/model/answer-model.ts';
import { milliseconds, percent, short } from '../../src/web/playground/model/digits.ts';
import { pageOf } from './pages.ts';

type Kind<K extends Answer['kind']> = Extract<Answer, { kind: K }>;
function answered<K extends Answer['kind']>(kind: K, answer: Answer): Kind<K> {
  expect(answer.kind).toBe(kind);
  return answer as Kind<K>;
}
const regression = pageOf({ task: 'regression', outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 1] }] });

describe('a classification', () => {
  test('is a bar a class in column order, the likeliest marked', () => {
    const answer = answered('classes', answerOf(pageOf(), [0.25, 0.7000000476837158, 0.05]));
    expect(answer.bars).toEqual([
      { label: 'setosa', length: 0.25, best: false, text: '25.00 %', exact: '0.25' },
      { label: 'versicolor', length: 0.7000000476837158, best: true, text: '70.00 %', exact: '0.7000000476837158' },
      { label: 'virginica', length: 0.05, best: false, text: '5.00 %', exact: '0.05' },
    ]);
    expect(summaryOf(answer)).toBe('versicolor, 70.00 %');
  });

  test('of equal probabilities has the first as its label, as the server has', () => {
    expect(answered('classes', answerOf(pageOf(), [0.2, 0.4, 0.4])).best.label).toBe('versicolor');
  });

  test('of scores that are no probabilities has no percentages', () => {
    const answer = answered('classes', answerOf(pageOf(), [-2, 6, 2]));
    expect(answer.bars.map(({ length, text }) => [length, text])).toEqual([
      [0, '-2'],
      [1, '6'],
      [0.5, '2'],
    ]);
  });

  test('of many classes shows the largest', () => {
    const scores = Array.from({ length: 100 }, (_, i) => (i + 1) / 5050);
    const answer = answered('classes', answerOf(pageOf({ labels: scores.map((_, i) => `c${i}`) }), scores));
    expect([answer.bars.length, answer.bars[0]?.label, answer.hidden]).toEqual([10, 'c99', 90]);
  });

  test('of several rows is a table of labels and their probabilities', () => {
    const answer = answered('rows', answerOf(pageOf(), [[0.9, 0.1, 0], [0, 0, 1]])); // biome-ignore format: a row a list
    expect(answer.head).toEqual(['label', 'probability']);
    expect(answer.rows.map((cells) => cells.map((cell) => cell.text))).toEqual([
      ['setosa', '90.00 %'],
      ['virginica', '100 %'],
    ]);
    expect(summaryOf(answer)).toBe('2 rows');
  });
});

test('a regression is a number, a list of them for several rows', () => {
  expect(answerOf(regression, [191.12345678])).toEqual({
    kind: 'number',
    value: { text: '191.123', exact: '191.12345678' },
  });
  const rows = answered('rows', answerOf(regression, [[1], [2]]));
  expect([rows.head, rows.rows.length]).toEqual([['value'], 2]);
});

test('a vector or a tensor is a compact list', () => {
  const embedding = pageOf({ task: 'embedding', outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 768] }] });
  const vector = answered('values', answerOf(embedding, new Array(768).fill(0.1)));
  expect([vector.shape, vector.values.length, vector.hidden]).toEqual(['768', 64, 704]);
  expect(summaryOf(vector)).toBe('768 values');

  const tensor = pageOf({ task: 'other', outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 2, 2] }] });
  const nested = [[1, 2], [3, 4]]; // biome-ignore format: a row a list
  expect(answered('values', answerOf(tensor, nested)).shape).toBe('2 × 2');
  expect(answered('rows', answerOf(tensor, [nested, nested])).rows[0]?.[0]?.text).toBe('1, 2, 3, 4');
});

test('no more rows are drawn than can be read', () => {
  const many = answered('rows', answerOf(regression, new Array(1000).fill([1])));
  expect([many.rows.length, many.hidden]).toEqual([200, 800]);
});

test('digits', () => {
  expect([0, 1e-9, 0.00005, 0.5, 0.99994, 0.99996, 1].map(percent)).toEqual([
    '0 %',
    '< 0.01 %',
    '0.01 %',
    '50.00 %',
    '99.99 %',
    '> 99.99 %',
    '100 %',
  ]);
  expect([1234567, 0.1 + 0.2, 1e-12, 52.52000045776367].map(short)).toEqual(['1234567', '0.3', '1e-12', '52.52']);
  expect([0.44, 12.6, 12_340].map(milliseconds)).toEqual(['0.4 ms', '13 ms', '12.3 s']);
});

test('the body of an answer: its prediction, or all of it where a transform answers in a way of its own', () => {
  expect(answerOfBody(pageOf(), { prediction: [0.2, 0.7, 0.1], label: 'x' }).kind).toBe('classes');
  expect(answerOfBody(pageOf(), { prediction: 'setosa' })).toMatchObject({ kind: 'number', value: { text: 'setosa' } });
  for (const body of [{ boxes: [{ x: 1 }] }, { prediction: [{ label: 'x' }] }, { prediction: {} }, [1], 'text', null])
    expect(answerOfBody(pageOf(), body)).toEqual({ kind: 'json', text: JSON.stringify(body, null, 2) });
});
