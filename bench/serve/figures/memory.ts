import type { Figure } from '../figure.ts';
import { median } from '../median.ts';
import { requirePeer } from '../peers.ts';
import { loadAndSample } from '../resident-samples.ts';
import { type FigureResult, judge } from '../result.ts';
import { verifyAnswer } from '../verify.ts';
import { withServer } from '../with-server.ts';

const MOST_MB = 90;
const MOST_GROWTH_PERCENT = 2;

/** Resident memory from a million to four million requests. */
export const memory: Figure = {
  id: 'memory',
  title: 'Resident memory under load',
  async run({ quick, iris, onProgress }): Promise<FigureResult> {
    const million = quick ? 100_000 : 1_000_000;
    return withServer(await requirePeer('inlay', iris), async (server) => {
      await verifyAnswer(server, iris);
      const atStart = server.residentMb().now;
      // A tenth more than four million, so that the last window has as many samples as the first.
      const load = await loadAndSample(server, {
        connections: 32,
        sliceSeconds: quick ? 1 : 5,
        done: (requests) => requests >= 4.4 * million,
        onSlice: ({ requests, residentMb }) =>
          onProgress(`${(requests / 1e6).toFixed(2)} M requests, ${residentMb.toFixed(1)} MB`),
      });
      const around = (count: number) =>
        median(
          load.samples
            .filter(({ requests }) => Math.abs(requests - count) <= 0.4 * million)
            .map((sample) => sample.residentMb),
        );
      const [first, last] = [around(million), around(4 * million)];
      const growth = (last / first - 1) * 100;
      return {
        table: {
          columns: [{ name: 'MB', decimals: 1 }],
          rows: [
            { name: 'ready', values: { MB: atStart } },
            { name: `around ${million.toLocaleString('en-US')} requests`, values: { MB: first } },
            { name: `around ${(4 * million).toLocaleString('en-US')} requests`, values: { MB: last } },
            { name: 'highest (VmHWM)', values: { MB: server.residentMb().highest } },
          ],
        },
        targets: [
          judge({ what: 'resident (VmRSS) at the end', sense: 'at most', limit: MOST_MB, unit: 'MB' }, last),
          judge({ what: 'growth', sense: 'at most', limit: MOST_GROWTH_PERCENT, unit: '%' }, growth),
        ],
        notes: [
          `${load.requests.toLocaleString('en-US')} requests, ${load.failed} failed`,
          ...(quick ? ['quick: a tenth of the requests'] : []),
        ],
      };
    });
  },
};
