// What the ledger takes to answer `--at` with a million intervals: 10 000 servers that ran 100 images each, one a day.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQL } from 'bun';
import { startPostgres } from '../../e2e/postgres.ts';
import { openLedger } from '../../src/inventory/index.ts';
import { factsOf, row } from '../../test/inventory/rows.ts';

const SERVERS = 10_000;
const EACH = 100;
const DAY = 86_400_000;
const T0 = Date.UTC(2026, 0, 1);

/** Median and worst of answers at times all over the ledger, ms. */
async function ledgerFigures(
  url: string,
): Promise<{ readonly rows: number; readonly medianMs: number; readonly worstMs: number }> {
  const ledger = await openLedger(url);
  const writer = await ledger.cluster('bench', 'bench');
  const one = row({ context: 'bench', owner: null });
  await writer.write({ at: T0 - DAY, rows: [one], gone: [], whole: true, journals: [], images: [factsOf(one)] });
  const sql = new SQL(url);
  const sqlite = url.startsWith('sqlite');
  const series = (count: number) =>
    sqlite
      ? `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})`
      : `WITH n AS (SELECT CAST(i AS BIGINT) AS i FROM generate_series(0, ${count - 1}) AS i)`;
  await sql.begin(async (tx) => {
    await tx.unsafe(
      `INSERT INTO servers (cluster, namespace, service, kind, name, role, first_seen) ${series(SERVERS)} SELECT 1, 'ns', 'svc-' || i, 'Deployment', 'svc-' || i, 'stable', ${T0} FROM n`,
    );
    await tx.unsafe(
      `INSERT INTO intervals (server, starts_at, observed_from, observed_to, digest, image, reference, owner, drift, row) ${series(EACH)}
       SELECT s.id, ${T0} + i * ${DAY}, ${T0} + i * ${DAY}, CASE WHEN i = ${EACH - 1} THEN NULL ELSE ${T0} + (i + 1) * ${DAY} END, x.digest, x.image, x.reference, NULL, '', x.row
       FROM n CROSS JOIN servers s CROSS JOIN (SELECT digest, image, reference, row FROM intervals LIMIT 1) x WHERE s.service LIKE 'svc-%'`,
    );
    await tx.unsafe(`UPDATE watches SET watched_to = ${T0 + EACH * DAY}`);
  });
  if (!sqlite) await sql.unsafe('ANALYZE');
  await sql.close();
  const tookMs: number[] = [];
  let rows = 0;
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    ({
      servers: { length: rows },
    } = await ledger.inventoryAt(T0 + ((i * 37) % EACH) * DAY + 1000));
    tookMs.push(performance.now() - began);
  }
  await ledger[Symbol.asyncDispose]();
  tookMs.sort((a, b) => a - b);
  return { rows, medianMs: tookMs[10] ?? 0, worstMs: tookMs.at(-1) ?? 0 };
}

async function show(name: string, url: string): Promise<void> {
  const { rows, medianMs, worstMs } = await ledgerFigures(url);
  console.log(
    `ledger of a million intervals, --at on ${name}: ${rows} rows in ${medianMs.toFixed(0)} ms, at worst ${worstMs.toFixed(0)} ms (at most 200 ms)`,
  );
}

const dir = await mkdtemp(join(tmpdir(), 'inlay-bench-'));
const postgres = await startPostgres();
try {
  await show('SQLite', `sqlite://${dir}/ledger.db`);
  await show('Postgres', await postgres.fresh());
} finally {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
}
