import { expect, test } from 'bun:test';
import { readLabels } from '../../src/contract/index.ts';
import { isInlayError } from '../../src/error/index.ts';

const ints = (...values: number[]) => ({ kind: 'int', values }) as const;
const strings = (...values: string[]) => ({ kind: 'string', values }) as const;

test('a map is keyed by the class numbers of the graph, in the order of its columns', () => {
  expect(readLabels('{"0":"a","1":"b","2":"c"}', 'l.json', ints(2, 0, 1), 3)).toEqual({
    keys: ['2', '0', '1'],
    names: ['c', 'a', 'b'],
  });
});

test('a list is in column order', () => {
  expect(readLabels('["a","b"]', 'l.json', undefined, 2)).toEqual({ keys: ['0', '1'], names: ['a', 'b'] });
});

test.each([
  ['too few', '["a"]', ints(0, 1), 2],
  ['too many', '["a","b","c"]', undefined, 2],
  ['a class without a label', '{"0":"a","2":"b"}', ints(0, 1), 2],
  ['a name twice', '["a","a"]', ints(0, 1), 2],
  ['another order than the graph', '["b","a"]', strings('a', 'b'), 2],
  ['other names than the graph', '{"0":"x","1":"b"}', strings('a', 'b'), 2],
  ['not JSON', 'a,b', undefined, 2],
  ['not names', '{"0": 1}', undefined, 1],
  ['nothing', '{}', undefined, undefined],
])('%s is refused', (_, text, classes, width) => {
  let code: string | undefined;
  try {
    readLabels(text, 'label.json', classes, width);
  } catch (error) {
    code = isInlayError(error) ? error.code : String(error);
  }
  expect(code).toBe('LABELS_INVALID');
});
