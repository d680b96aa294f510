import { describe, expect, test } from 'bun:test';
import { answerDifference, parseGolden, type TensorSpec } from '../../src/contract/index.ts';

const spec = (name: string): TensorSpec => ({ name, datatype: 'FP32', shape: [-1, 1] });
const tensors = { inputs: [spec('x')], outputs: [spec('y')] };
const CASES = [{ inputs: { x: [[1]] }, outputs: { y: [[2]] } }];
const parse = (document: Record<string, unknown>) =>
  parseGolden(new TextEncoder().encode(JSON.stringify({ cases: CASES, ...document })), 'golden.json', tensors);

test('requests are JSON, text or bytes', () => {
  const { raw, rawTolerance } = parse({
    schemaVersion: 2,
    tolerance: 1e-3,
    raw: [
      { request: { json: { text: 'ü' } }, answer: { prediction: [1] } },
      { request: { contentType: 'text/plain', text: 'ü' }, answer: 'x' },
      { request: { contentType: 'image/png', base64: 'iVBORw==' }, answer: null },
    ],
  });
  expect(raw.map(({ contentType, bytes, answer }) => [contentType, [...bytes], answer])).toEqual([
    ['application/json', [...new TextEncoder().encode('{"text":"ü"}')], { prediction: [1] }],
    ['text/plain', [195, 188], 'x'],
    ['image/png', [137, 80, 78, 71], null],
  ]);
  expect(rawTolerance).toBe(1e-3);
  expect(parse({ tolerance: { y: 1 } }).rawTolerance).toBe(1e-5);
  expect(parse({ rawTolerance: 0.1 }).rawTolerance).toBe(0.1);
});

test.each([
  ['schemaVersion 1', { schemaVersion: 1, raw: [{ request: { json: 1 }, answer: 1 }] }],
  ['schemaVersion 3', { schemaVersion: 3 }],
  ['no request', { raw: [{ answer: 1 }] }],
  ['bytes without their type', { raw: [{ request: { base64: 'AA==' }, answer: 1 }] }],
  ['a type that is none', { raw: [{ request: { contentType: 'png', base64: 'AA==' }, answer: 1 }] }],
  ['base64 that is none', { raw: [{ request: { contentType: 'image/png', base64: '*' }, answer: 1 }] }],
  ['two requests in one', { raw: [{ request: { json: 1, contentType: 'text/plain', text: '' }, answer: 1 }] }],
  ['a file', { raw: [{ request: { contentType: 'image/png', file: '7.png' }, answer: 1 }] }],
  ['a negative tolerance', { rawTolerance: -1 }],
])('%s is refused', (_, document) => {
  expect(() => parse(document)).toThrow(expect.objectContaining({ code: 'GOLDEN_INVALID' }));
});

describe('the difference of two answers', () => {
  const answer = { prediction: [0.5, 1000], label: 'a', boxes: [{ x: 1 }], none: null, yes: true };

  test('is none where they are the same, in any order of keys', () => {
    expect(answerDifference(answer, JSON.parse(JSON.stringify(answer)), 0)).toBeUndefined();
    expect(answerDifference({ a: 1, b: 2 }, { b: 2, a: 1 }, 0)).toBeUndefined();
  });

  test('is the number farthest beyond what is allowed, relative beyond 1', () => {
    const found = answerDifference(answer, { ...answer, prediction: [0.50002, 1000.01] }, 1e-5);
    expect(found).toMatchObject({ path: 'prediction[0]', expected: 0.5, actual: 0.50002, allowed: 1e-5 });
    expect(answerDifference([1000], [1000.01], 1e-5)).toMatchObject({ path: '[0]', allowed: 0.01 });
  });

  test.each<[string, unknown, string]>([
    ['another label', { ...answer, label: 'b' }, 'label'],
    ['a number as text', { ...answer, prediction: ['0.5', 1000] }, 'prediction[0]'],
    ['a value fewer', { ...answer, prediction: [0.5] }, 'prediction'],
    ['another key', { ...answer, more: 1 }, 'more'],
    ['a key fewer', { prediction: answer.prediction }, 'label'],
    ['something in a list', { ...answer, boxes: [{ x: '1' }] }, 'boxes[0].x'],
    ['a list for an object', [answer], ''],
    ['null', null, ''],
    ['an object for null', { ...answer, none: {} }, 'none'],
    ['false', { ...answer, yes: false }, 'yes'],
  ])('%s is beyond every tolerance', (_, actual, path) => {
    expect(answerDifference(answer, actual, 1e9)).toMatchObject({ path, size: Number.POSITIVE_INFINITY });
  });
});
