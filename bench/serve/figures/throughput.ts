import type { Figure } from '../figure.ts';
import { median, pairedRatio } from '../median.ts';
import { type PeerId, preparePeers } from '../peers.ts';
import { type FigureResult, judge } from '../result.ts';
import { interleave } from '../rounds.ts';
import { verifyAnswer } from '../verify.ts';
import { withServer } from '../with-server.ts';
import { type Load, loadWithWrk } from '../wrk.ts';

const CONNECTIONS = 32;
const PEERS: readonly PeerId[] = [
  'inlay',
  'echo',
  'rust',
  'rust-batching',
  'fastapi',
  'fastapi-tuned',
  'mlserver',
  'bentoml',
];
const LIMITS: Partial<Record<PeerId, number>> = { echo: 0.9, rust: 1.25, 'rust-batching': 1, fastapi: 25 };
/** A generator that is this busy may be what limits. */
const BUSY = 0.95;

/** Requests per CPU second of the server: what the machine gives to others does not count. */
const perCpuSecond = (load: Load) => load.requests / load.serverCpuSeconds;

export const throughput: Figure = {
  id: 'throughput',
  title: `POST /predict, iris, ${CONNECTIONS} connections, one core`,
  async run({ quick, rounds, iris, without, onProgress }): Promise<FigureResult> {
    const wanted = PEERS.filter((id) => !without.includes(id));
    const prepared = await preparePeers(wanted, iris);
    const measured = await interleave<Load>(
      rounds,
      Object.fromEntries(
        prepared.peers.map((peer) => [
          peer.name,
          () =>
            withServer(peer, async (server) => {
              await verifyAnswer(server, iris);
              await loadWithWrk(server, { connections: CONNECTIONS, seconds: quick ? 1 : 3 });
              return loadWithWrk(server, { connections: CONNECTIONS, seconds: quick ? 2 : 6 });
            }),
        ]),
      ),
      onProgress,
    );
    const loads = (name: string) => measured.values.get(name) ?? [];
    const ours = loads('inlay');
    const ratio = (name: string, of: (load: Load) => number) => pairedRatio(ours.map(of), loads(name).map(of));
    const missing = [...prepared.missing, ...measured.failures];
    return {
      table: {
        columns: [
          { name: 'requests/s', decimals: 0 },
          { name: 'requests/CPU s', decimals: 0 },
          { name: 'inlay is (CPU)', decimals: 3 },
          { name: 'inlay is (clock)', decimals: 3 },
          { name: 'core used', decimals: 2 },
          { name: 'wrk core used', decimals: 2 },
          { name: 'failed', decimals: 0 },
        ],
        rows: wanted.map((name) => {
          const lack = missing.find((one) => one.name === name);
          if (lack) return { name, values: { 'requests/s': 'not measured' } };
          const of = (value: (load: Load) => number) => median(loads(name).map(value));
          return {
            name,
            values: {
              'requests/s': of((load) => load.requests / load.seconds),
              'requests/CPU s': of(perCpuSecond),
              'inlay is (CPU)': ratio(name, perCpuSecond),
              'inlay is (clock)': ratio(name, (load) => load.requests / load.seconds),
              'core used': of((load) => load.serverCoreUse),
              'wrk core used': of((load) => load.generatorCoreUse),
              failed: loads(name).reduce((sum, load) => sum + load.failed, 0),
            },
          };
        }),
      },
      targets: wanted.flatMap((name) => {
        const limit = LIMITS[name];
        if (limit === undefined) return [];
        const lacking = missing.some((one) => one.name === name || one.name === 'inlay');
        const target = {
          what: `requests per CPU second against ${name}`,
          sense: 'at least',
          limit,
          unit: 'x',
        } as const;
        return [judge(target, lacking ? undefined : ratio(name, perCpuSecond))];
      }),
      notes: [
        ...missing.map(({ name, reason }) => `${name} is not measured: ${reason}`),
        ...prepared.peers
          .filter(({ name }) => median(loads(name).map((load) => load.generatorCoreUse)) > BUSY)
          .map(({ name }) => `wrk used its whole core against ${name}: its requests/s may be wrk's limit`),
      ],
    };
  },
};
