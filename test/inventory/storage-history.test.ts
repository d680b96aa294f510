// What repositories held over time, and what prune would delete: recorded by the hub that writes, shown a page at a time.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ledger, openLedger, type PrunePreview, PruneWatch } from '../../src/inventory/index.ts';

let dir: string;
let ledger: Ledger;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-storage-'));
  ledger = await openLedger(`sqlite://${dir}/ledger.db`);
});
afterAll(async () => {
  await ledger[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const image = (tag: string) => ({
  reference: `r.example/ml/iris:${tag}`,
  digest: `sha256:${tag.padStart(64, '0')}`,
  tags: [tag],
  sizeBytes: 10,
  reasons: [{ code: 'RUNS', detail: 'prod' }],
});
const PLAN: PrunePreview = {
  plannedAt: '2026-11-24T00:00:00.000Z',
  freeBytes: 7,
  clusters: [],
  gaps: [],
  repositories: [{ repository: 'r.example/ml/iris', tags: 3, keeps: 1, drops: 2, sizeBytes: 30, freeBytes: 7 }],
  keep: [image('3')],
  drop: [image('1'), image('2')],
};
let plans = 0;
const watch = (more: object = {}) =>
  new PruneWatch({
    plan: async () => {
      plans++;
      return PLAN;
    },
    ledger,
    writes: () => true,
    recordEveryMs: 1000,
    freshMs: 60_000,
    signal: new AbortController().signal,
    ...more,
  });

test('storage is recorded when it is due, by the hub that writes alone', async () => {
  await watch({ writes: () => false }).record(10_000);
  expect(await ledger.storage(0, 1e12)).toEqual([]);
  await watch().record(10_000);
  await watch().record(10_500);
  await watch().record(11_000);
  expect(await ledger.storage(0, 1e12)).toEqual(
    [10_000, 11_000].map((at) => ({
      at: new Date(at).toISOString(),
      repository: 'r.example/ml/iris',
      tags: 3,
      images: 3,
      sizeBytes: 30,
      prunableImages: 2,
      prunableBytes: 7,
    })),
  );
  expect(await ledger.storage(10_500, 1e12, 'r.example/ml/iris')).toHaveLength(1);
  expect(await ledger.storage(0, 1e12, 'r.example/ml/rose')).toEqual([]);
});

test('the plan is shown a page at a time, and made once while it is fresh', async () => {
  plans = 0;
  const preview = watch();
  const ask = async (query: string) => preview.answer(new URLSearchParams(query));
  expect(await ask('')).toMatchObject({ freeBytes: 7, total: 3, repositories: PLAN.repositories });
  expect((await ask('verdict=drop&limit=1&offset=1')).images.map(({ verdict, tags }) => [verdict, ...tags])).toEqual([
    ['drop', '2'],
  ]);
  expect((await ask('verdict=keep')).images.map(({ reasons }) => reasons[0]?.code)).toEqual(['RUNS']);
  expect((await ask('repository=r.example/ml/rose')).total).toBe(0);
  expect(await ask('verdict=maybe').catch(({ code }) => code)).toBe('USAGE');
  expect(plans).toBe(1);
});

test('it ends when it is told to, also while it plans', async () => {
  const abort = new AbortController();
  let planned = 0;
  await watch({
    signal: abort.signal,
    plan: async () => {
      planned++;
      abort.abort();
      return PLAN;
    },
  }).run();
  expect(planned).toBe(1);
});
