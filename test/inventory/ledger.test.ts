import { Database } from 'bun:sqlite';
import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../../src/inventory/index.ts';
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

test('a lock that cannot be had is not taken for another hub', async () => {
  const url = await fresh();
  mkdirSync(`${url.replace('sqlite://', '')}-writer`);
  await expect(takeWriterLock(url, 'sqlite')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
});

/** Another process that holds the file for half a second: `begin`, a table of its own, and the end. */
async function heldByAnother(url: string, begin: 'BEGIN EXCLUSIVE' | 'BEGIN IMMEDIATE'): Promise<Bun.Subprocess> {
  const program = `
    const { Database } = await import('bun:sqlite');
    const database = new Database(${JSON.stringify(url.replace('sqlite://', ''))}, { create: true });
    database.run(${JSON.stringify(begin)});
    database.run('CREATE TABLE other (id INTEGER)');
    console.log('held');
    await Bun.sleep(500);
    database.run('COMMIT');
    database.close();`;
  const holder = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' });
  for await (const _ of holder.stdout) break;
  return holder;
}

test('a ledger that another process opens for the first time is waited for', async () => {
  const url = await fresh();
  const holder = await heldByAnother(url, 'BEGIN EXCLUSIVE');
  await using ledger = await openLedger(url);
  expect(await ledger.images()).toEqual([]);
  expect(await holder.exited).toBe(0);
});

test('a ledger of an older schema that another process brings to the present one is waited for', async () => {
  const url = await fresh();
  await (await openLedger(url))[Symbol.asyncDispose]();
  const older = new Database(url.replace('sqlite://', ''));
  older.run('DROP INDEX intervals_by_begin');
  older.run('CREATE INDEX intervals_by_time ON intervals (server, starts_at)');
  older.run('DELETE FROM schema_version WHERE version = 3');
  older.close();
  const holder = await heldByAnother(url, 'BEGIN IMMEDIATE');
  await using ledger = await openLedger(url);
  expect(await ledger.images()).toEqual([]);
  expect(await holder.exited).toBe(0);
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
