// The ledger's promises on a real Postgres, and a hundred kills on either database.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../src/inventory/index.ts';
import { takeWriterLock } from '../src/inventory/ledger/writer-lock.ts';
import { killStory } from '../test/inventory/kill-story.ts';
import { ledgerStory } from '../test/inventory/ledger-story.ts';
import { type Postgres, startPostgres } from './postgres.ts';

let postgres: Postgres;
const dir = mkdtempSync(join(tmpdir(), 'inlay-ledger-'));
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => {
  await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
});

ledgerStory('Postgres', () => postgres.fresh());

test('of two hubs on one Postgres one writes, and the other when that is gone', async () => {
  const url = await postgres.fresh();
  const first = await takeWriterLock(url, 'postgres');
  expect(await first?.held()).toBe(true);
  expect(await takeWriterLock(url, 'postgres')).toBeUndefined();
  await first?.release();
  const next = await takeWriterLock(url, 'postgres');
  expect(next).toBeDefined();
  await next?.release();
});

test('two that migrate at once do not disturb each other', async () => {
  const url = await postgres.fresh();
  const ledgers = await Promise.all([openLedger(url), openLedger(url), openLedger(url)]);
  for (const ledger of ledgers) await ledger[Symbol.asyncDispose]();
});

test('a hub whose database crashes does not hold the lock any more', async () => {
  const url = await postgres.fresh();
  const lock = await takeWriterLock(url, 'postgres');
  await postgres.crash();
  expect(await lock?.held()).toBe(false);
  const next = await takeWriterLock(url, 'postgres');
  expect(await next?.held()).toBe(true);
  await next?.release();
  await lock?.release();
});

test('killed 100 times on Postgres', async () => killStory(await postgres.fresh(), 100), 300_000);
test('killed 100 times on SQLite', () => killStory(`sqlite://${dir}/killed.db`, 100), 300_000);
