import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gapsOf } from '../../src/inventory/ledger/interval.ts';
import { takeWriterLock } from '../../src/inventory/ledger/writer-lock.ts';
import { killStory } from './kill-story.ts';
import { ledgerStory } from './ledger-story.ts';

const dir = mkdtempSync(join(tmpdir(), 'inlay-ledger-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let files = 0;
const fresh = async () => `sqlite://${dir}/${files++}.db`;

ledgerStory('SQLite', fresh);

test('one hub at a time writes a ledger', async () => {
  const url = await fresh();
  const first = await takeWriterLock(url, 'sqlite');
  expect(first).toBeDefined();
  expect(await takeWriterLock(url, 'sqlite')).toBeUndefined();
  await first?.release();
  const next = await takeWriterLock(url, 'sqlite');
  expect(next).toBeDefined();
  await next?.release();
});

test('gaps are what no watch covers', () => {
  expect(
    gapsOf(
      [
        { from: 2, to: 4 },
        { from: 3, to: 5 },
        { from: 7, to: 8 },
      ],
      0,
      10,
    ),
  ).toEqual([
    { from: 0, to: 2 },
    { from: 5, to: 7 },
    { from: 8, to: 10 },
  ]);
  expect(gapsOf([], 0, 1)).toEqual([{ from: 0, to: 1 }]);
  expect(gapsOf([{ from: 0, to: 9 }], 1, 8)).toEqual([]);
});

test(
  'a writer that is killed has lost nothing that it wrote, and left nothing half-done',
  () => killStory(`sqlite://${dir}/killed.db`, 10),
  60_000,
);
