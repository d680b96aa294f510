import { type BareRun, bareRun } from '../bare-run.ts';
import type { Figure } from '../figure.ts';
import { loadAtRate, type Paced } from '../load-tool.ts';
import { median, pairedRatio } from '../median.ts';
import { heavyProject } from '../models/heavy-model.ts';
import { layOutModel } from '../models/model-dir.ts';
import { requirePeer } from '../peers.ts';
import { type FigureResult, judge } from '../result.ts';
import { interleave } from '../rounds.ts';
import { verifyAnswer } from '../verify.ts';
import { withServer } from '../with-server.ts';
import { type Load, loadWithWrk } from '../wrk.ts';

const CONNECTIONS = 8;
const HEALTH_RATE = 50;
const LEAST_RATIO = 0.95;
const MOST_HEALTH_MS = 10;

interface Round extends BareRun {
  readonly health?: Paced;
  readonly load?: Load;
}

/** A model whose run takes 10 to 20 ms: what serving it costs, and whether the server can still be asked for its health. */
export const heavy: Figure = {
  id: 'heavy',
  title: `A heavy model, ${CONNECTIONS} connections, /health/live ${HEALTH_RATE} times a second meanwhile`,
  async run({ quick, rounds, onProgress }): Promise<FigureResult> {
    const model = await layOutModel(await heavyProject());
    const inlay = await requirePeer('inlay', model);
    // At the end up to eight rows are worked at that nobody counts: long enough for them to be no share of it.
    const seconds = quick ? 3 : 20;
    const row = shapeOf(model.sample);
    const measured = await interleave<Round>(
      rounds,
      {
        'bare run': () => bareRun(model, { shape: row, seconds, warmupSeconds: 1 }),
        inlay: () =>
          withServer(inlay, async (server) => {
            await verifyAnswer(server, model);
            await loadWithWrk(server, { connections: CONNECTIONS, seconds: 1 });
            const [load, health] = await Promise.all([
              loadWithWrk(server, { connections: CONNECTIONS, seconds }),
              loadAtRate(server, {
                ...{ rate: HEALTH_RATE, seconds: seconds - 1, warmupSeconds: 0.5, connections: 4 },
                get: '/health/live',
              }),
            ]);
            return { rows: load.requests, seconds: load.seconds, cpuSeconds: load.serverCpuSeconds, health, load };
          }),
      },
      onProgress,
    );
    const of = (name: string, value: (round: Round) => number) => (measured.values.get(name) ?? []).map(value);
    const ratio = (value: (round: Round) => number) => pairedRatio(of('inlay', value), of('bare run', value));
    const healthMs = median(of('inlay', ({ health }) => (health?.p99Us ?? Number.NaN) / 1000));
    const perCpuSecond = ({ rows, cpuSeconds }: Round) => rows / cpuSeconds;
    return {
      table: {
        columns: [
          { name: 'rows/s', decimals: 1 },
          { name: 'rows/CPU s', decimals: 1 },
          { name: 'ms a row', decimals: 2 },
          { name: 'health p50 ms', decimals: 2 },
          { name: 'health p99 ms', decimals: 2 },
          { name: 'failed', decimals: 0 },
        ],
        rows: [...measured.values.keys()].map((name) => ({
          name,
          values: {
            'rows/s': median(of(name, ({ rows, seconds: took }) => rows / took)),
            'rows/CPU s': median(of(name, perCpuSecond)),
            'ms a row': median(of(name, ({ rows, cpuSeconds }) => (cpuSeconds * 1000) / rows)),
            ...(name === 'inlay'
              ? {
                  'health p50 ms': median(of(name, ({ health }) => (health?.p50Us ?? Number.NaN) / 1000)),
                  'health p99 ms': healthMs,
                  failed: of(name, ({ load, health }) => (load?.failed ?? 0) + (health?.failed ?? 0)).reduce(
                    (a, b) => a + b,
                    0,
                  ),
                }
              : {}),
          },
        })),
      },
      targets: [
        judge(
          { what: 'rows per CPU second against the bare run', sense: 'at least', limit: LEAST_RATIO, unit: 'x' },
          ratio(perCpuSecond),
        ),
        judge({ what: '/health/live p99', sense: 'at most', limit: MOST_HEALTH_MS, unit: 'ms' }, healthMs),
      ],
      notes: [
        `by the clock: ${ratio(({ rows, seconds: took }) => rows / took).toFixed(3)} x the bare run`,
        ...measured.failures.map(({ name, reason }) => `${name} failed: ${reason}`),
      ],
    };
  },
};

function shapeOf(nested: unknown): number[] {
  return Array.isArray(nested) ? [nested.length, ...shapeOf(nested[0])] : [];
}
