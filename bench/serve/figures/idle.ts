import type { Figure } from '../figure.ts';
import { requirePeer } from '../peers.ts';
import { type FigureResult, judge } from '../result.ts';
import { withServer } from '../with-server.ts';
import { loadWithWrk } from '../wrk.ts';

const SECONDS = 10;
const MOST_PERCENT = 0.5;

/** CPU of a server that nobody asks, after it has been asked. */
export const idle: Figure = {
  id: 'idle',
  title: 'CPU when idle',
  async run({ iris, onProgress }): Promise<FigureResult> {
    return withServer(await requirePeer('inlay', iris), async (server) => {
      await loadWithWrk(server, { connections: 32, seconds: 2 });
      // The collector and the compiler finish what the load left.
      await Bun.sleep(3000);
      onProgress(`${SECONDS} s of nothing`);
      const before = server.cpuSeconds();
      const started = performance.now();
      await Bun.sleep(SECONDS * 1000);
      const percent = ((server.cpuSeconds() - before) / ((performance.now() - started) / 1000)) * 100;
      return {
        table: {
          columns: [{ name: '% of a core', decimals: 2 }],
          rows: [{ name: 'inlay', values: { '% of a core': percent } }],
        },
        targets: [judge({ what: 'CPU when idle', sense: 'at most', limit: MOST_PERCENT, unit: '%' }, percent)],
        notes: [`over ${SECONDS} s; the clock of /proc has a resolution of 10 ms, ${(1 / SECONDS).toFixed(1)} %`],
      };
    });
  },
};
