import type { Figure } from '../figure.ts';
import { loadAtRate, type Paced } from '../load-tool.ts';
import { median, pairedRatio } from '../median.ts';
import { type PeerId, preparePeers, requirePeer } from '../peers.ts';
import { type FigureResult, judge } from '../result.ts';
import { interleave } from '../rounds.ts';
import { verifyAnswer } from '../verify.ts';
import { withServer } from '../with-server.ts';
import { loadWithWrk } from '../wrk.ts';

const CONNECTIONS = 32;
const LIMIT = 1.5;
/** A generator that is later than this was disturbed itself. */
const LATE_US = 100;
const PEERS: readonly PeerId[] = ['inlay', 'echo', 'rust', 'rust-batching'];

/** How long requests take at half of what inlay can answer, at a constant rate. */
export const tail: Figure = {
  id: 'tail',
  title: 'Latency at half of that load, constant rate, counted from when each request was due',
  async run({ quick, rounds, iris, without, onProgress }): Promise<FigureResult> {
    onProgress('how much inlay answers');
    const inlay = await requirePeer('inlay', iris);
    const full = await withServer(inlay, async (server) => {
      await loadWithWrk(server, { connections: CONNECTIONS, seconds: quick ? 1 : 3 });
      return loadWithWrk(server, { connections: CONNECTIONS, seconds: quick ? 2 : 5 });
    });
    const rate = Math.round(full.requests / full.seconds / 2);
    const prepared = await preparePeers(
      PEERS.filter((id) => !without.includes(id)),
      iris,
    );
    const measured = await interleave<Paced>(
      rounds,
      Object.fromEntries(
        prepared.peers.map((peer) => [
          peer.name,
          () =>
            withServer(peer, async (server) => {
              await verifyAnswer(server, iris);
              const times = { seconds: quick ? 3 : 10, warmupSeconds: quick ? 1.5 : 4 };
              return loadAtRate(server, { rate, connections: CONNECTIONS, ...times });
            }),
        ]),
      ),
      onProgress,
    );
    const p99 = (name: string) => (measured.values.get(name) ?? []).map((paced) => paced.p99Us);
    const missing = [...prepared.missing, ...measured.failures];
    const target = { what: "p99 against echo's", sense: 'at most', limit: LIMIT, unit: 'x' } as const;
    return {
      table: {
        columns: [
          { name: 'p50 us', decimals: 0 },
          { name: 'p90 us', decimals: 0 },
          { name: 'p99 us', decimals: 0 },
          { name: 'p99.9 us', decimals: 0 },
          { name: 'max us', decimals: 0 },
          { name: 'p99 to echo', decimals: 3 },
          { name: 'generator late p99 us', decimals: 1 },
          { name: 'failed', decimals: 0 },
        ],
        rows: [...measured.values].map(([name, rows]) => {
          if (missing.some((one) => one.name === name)) return { name, values: { 'p50 us': 'not measured' } };
          const of = (value: (paced: Paced) => number) => median(rows.map(value));
          return {
            name,
            values: {
              'p50 us': of((paced) => paced.p50Us),
              'p90 us': of((paced) => paced.p90Us),
              'p99 us': of((paced) => paced.p99Us),
              'p99.9 us': of((paced) => paced.p999Us),
              'max us': of((paced) => paced.maxUs),
              'p99 to echo': pairedRatio(p99(name), p99('echo')),
              'generator late p99 us': of((paced) => paced.generatorP99Us),
              failed: rows.reduce((sum, paced) => sum + paced.failed, 0),
            },
          };
        }),
      },
      targets: [judge(target, pairedRatio(p99('inlay'), p99('echo')))],
      notes: [
        `${rate.toLocaleString('en-US')} requests/s over ${CONNECTIONS} connections, half of inlay's closed-loop rate before`,
        ...[...measured.values]
          .filter(([, paces]) => median(paces.map((paced) => paced.generatorP99Us)) > LATE_US)
          .map(([name]) => `the generator was late against ${name}: the machine was disturbed`),
        ...missing.map(({ name, reason }) => `${name} is not measured: ${reason}`),
      ],
    };
  },
};
