import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { judge } from '../../../src/cluster/index.ts';
import { minimumEffectiveRows } from '../../../src/cluster/verdict/label-shift.ts';
import { healthy, LIMITS } from './windows.ts';

const page = await Bun.file(join(import.meta.dir, '../../../docs/verdict.md')).text();

test('docs/verdict.md has every metric and no other', () => {
  const told = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, metric]) => metric as string);
  const unreadable = healthy(1000, { unreadable: [{ pod: 'a', why: 'b' }] });
  const judged = judge({ stable: healthy(1000), canary: unreadable, limits: LIMITS }).reasons.map(
    ({ metric }): string => metric,
  );
  expect(told.toSorted()).toEqual(judged.toSorted());
});

test('docs/verdict.md has the least samples for labels', () => {
  const rows = [...page.matchAll(/^\| (\d+)(?: and `other`)? \| ([\d ]+) \| ([\d ]+) \|$/gm)].map((row) =>
    row.slice(1).map((number) => Number(number.replaceAll(' ', ''))),
  );
  expect(rows.map(([labels]) => labels)).toEqual([2, 3, 10, 100]);
  for (const [labels = 0, fine, coarse] of rows) {
    const all = labels === 100 ? 101 : labels;
    expect([minimumEffectiveRows(all, 0.05), minimumEffectiveRows(all, 0.1)]).toEqual([
      fine as number,
      coarse as number,
    ]);
  }
});
