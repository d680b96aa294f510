import { expect, test } from 'bun:test';
import { MOST_LISTS, MOST_NESTED, nestingFault } from '../../src/server/nesting.ts';

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

test('depth counts lists and objects, not what stands in texts', () => {
  const padded = (text: string) => `[${JSON.stringify(' '.repeat(200))},${text}]`;
  expect(nestingFault(lists(MOST_NESTED))).toBeUndefined();
  expect(nestingFault(lists(MOST_NESTED + 1))).toBe('deep');
  expect(nestingFault(padded(lists(MOST_NESTED - 1)))).toBeUndefined();
  expect(nestingFault(padded(lists(MOST_NESTED)))).toBe('deep');
  expect(nestingFault(padded(`${'{"a":'.repeat(MOST_NESTED)}1${'}'.repeat(MOST_NESTED)}`))).toBe('deep');
  expect(nestingFault(JSON.stringify(Array.from({ length: 500 }, () => [[1]])))).toBeUndefined();
  for (const text of ['['.repeat(500), `\\"${'['.repeat(500)}`, `"${'['.repeat(500)}\\\\`])
    expect(nestingFault(padded(JSON.stringify(text)))).toBeUndefined();
  // A text that closes what it did not open takes nothing from the count.
  expect(nestingFault(`["${']'.repeat(500)}",${lists(MOST_NESTED)}]`)).toBe('deep');
});

test('lists and objects are counted, all of them together', () => {
  const many = (count: number, one: string) => `{"data":[${new Array(count - 2).fill(one).join(',')}]}`;
  expect(nestingFault(many(MOST_LISTS, '[]'))).toBeUndefined();
  expect(nestingFault(many(MOST_LISTS + 1, '[]'))).toBe('many');
  expect(nestingFault(many(MOST_LISTS + 1, '{}'))).toBe('many');
  expect(nestingFault(many(MOST_LISTS + 1, '"["'))).toBeUndefined();
  // The first that is found.
  expect(nestingFault(`[${lists(MOST_NESTED + 1)},${many(MOST_LISTS, '[]')}]`)).toBe('deep');
});
