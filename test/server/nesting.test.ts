import { expect, test } from 'bun:test';
import { isNestedTooDeeply, MOST_NESTED } from '../../src/server/nesting.ts';

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

test('depth counts lists and objects, not what stands in texts', () => {
  const padded = (text: string) => `[${JSON.stringify(' '.repeat(200))},${text}]`;
  expect(isNestedTooDeeply(lists(MOST_NESTED))).toBe(false);
  expect(isNestedTooDeeply(lists(MOST_NESTED + 1))).toBe(true);
  expect(isNestedTooDeeply(padded(lists(MOST_NESTED - 1)))).toBe(false);
  expect(isNestedTooDeeply(padded(lists(MOST_NESTED)))).toBe(true);
  expect(isNestedTooDeeply(padded(`${'{"a":'.repeat(MOST_NESTED)}1${'}'.repeat(MOST_NESTED)}`))).toBe(true);
  expect(isNestedTooDeeply(JSON.stringify(Array.from({ length: 500 }, () => [[1]])))).toBe(false);
  for (const text of ['['.repeat(500), `\\"${'['.repeat(500)}`, `"${'['.repeat(500)}\\\\`])
    expect(isNestedTooDeeply(padded(JSON.stringify(text)))).toBe(false);
  // A text that closes what it did not open takes nothing from the count.
  expect(isNestedTooDeeply(`["${']'.repeat(500)}",${lists(MOST_NESTED)}]`)).toBe(true);
});
