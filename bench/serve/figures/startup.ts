import type { Figure } from '../figure.ts';
import { firstAnswerMs } from '../load-tool.ts';
import { median, pairedRatio } from '../median.ts';
import { type PeerId, requirePeer } from '../peers.ts';
import { type FigureResult, judge } from '../result.ts';
import { interleave } from '../rounds.ts';

const LIMIT = 1.3;
const SCRIPTS = ['shortest', 'bundled shortest'] as const satisfies readonly PeerId[];

/** From exec to the first 200, beside the shortest script that does as much. */
export const startup: Figure = {
  id: 'startup',
  title: 'From exec to the first answer',
  async run({ quick, rounds, iris, onProgress }): Promise<FigureResult> {
    const peers = await Promise.all((['inlay', ...SCRIPTS] as const).map((id) => requirePeer(id, iris)));
    const measured = await interleave(
      quick ? 6 : rounds * 8,
      Object.fromEntries(peers.map((peer) => [peer.name, () => firstAnswerMs(peer)])),
      onProgress,
    );
    const times = (name: string) => measured.values.get(name) ?? [];
    const quicker = SCRIPTS.toSorted((a, b) => median(times(a)) - median(times(b)))[0] as string;
    const target = { what: `exec to first 200 against ${quicker}`, sense: 'at most', limit: LIMIT, unit: 'x' } as const;
    return {
      table: {
        columns: [
          { name: 'median ms', decimals: 1 },
          { name: 'least ms', decimals: 1 },
          { name: 'most ms', decimals: 1 },
          { name: 'starts', decimals: 0 },
        ],
        rows: peers.map(({ name }) => ({
          name,
          values: {
            'median ms': median(times(name)),
            'least ms': Math.min(...times(name)),
            'most ms': Math.max(...times(name)),
            starts: times(name).length,
          },
        })),
      },
      targets: [judge(target, pairedRatio(times('inlay'), times(quicker)))],
      notes: measured.failures.map(({ name, reason }) => `${name} failed: ${reason}`),
    };
  },
};
