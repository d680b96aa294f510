import { join } from 'node:path';
import { bodyFile } from '../body-file.ts';
import type { Figure } from '../figure.ts';
import { median } from '../median.ts';
import { heavyProject } from '../models/heavy-model.ts';
import { layOutModel } from '../models/model-dir.ts';
import type { OpenLoop } from '../open-loop/load.ts';
import { requirePeer } from '../peers.ts';
import { type FigureResult, judge } from '../result.ts';
import { BENCH, BUN } from '../root.ts';
import { lastLineOf, runTool } from '../run-tool.ts';
import { verifyAnswer } from '../verify.ts';
import { withServer } from '../with-server.ts';
import { loadWithWrk } from '../wrk.ts';

const TIMES = 4;
const CONNECTIONS = 8;
/** MAX_QUEUE_MS, as the server has it by default, and a run. */
const MOST_ACCEPTED_MS = 1_100;
const MOST_REFUSED_MS = 20;
const MOST_GROWTH_PERCENT = 10;
const LEAST_AFTERWARDS = 0.9;

/** Four times what a server can do, open loop: whether it refuses at once what it cannot do, and does the rest in time. */
export const overload: Figure = {
  id: 'overload',
  title: `A heavy model at ${TIMES} times its capacity, open loop`,
  async run({ quick, onProgress }): Promise<FigureResult> {
    const model = await layOutModel(await heavyProject());
    const seconds = quick ? 5 : 20;
    return withServer(await requirePeer('inlay', model), async (server) => {
      await verifyAnswer(server, model);
      onProgress('capacity');
      await loadWithWrk(server, { connections: CONNECTIONS, seconds: 2 });
      const before = await loadWithWrk(server, { connections: CONNECTIONS, seconds: 3 });
      const capacity = before.requests / before.seconds;
      const memoryBefore = server.residentMb().now;
      onProgress(`${(capacity * TIMES).toFixed(0)} requests a second for ${seconds} s`);
      const { stdout } = await runTool([
        ...[BUN, '--no-env-file', join(BENCH, 'open-loop', 'main.ts'), server.url + server.peer.path],
        ...[await bodyFile(server.peer.body), String(capacity * TIMES), String(seconds)],
      ]);
      const load = lastLineOf<OpenLoop>(stdout);
      const memoryAfter = server.residentMb().now;
      await Bun.sleep(1000);
      const after = await loadWithWrk(server, { connections: CONNECTIONS, seconds: 3 });
      const afterwards = after.requests / after.seconds / capacity;
      const accepted = percentile(load.acceptedMs, 0.99);
      const refused = percentile(load.refusedMs, 0.99);
      const growth = (memoryAfter / memoryBefore - 1) * 100;
      return {
        table: {
          columns: [
            { name: 'requests', decimals: 0 },
            { name: 'p50 ms', decimals: 1 },
            { name: 'p99 ms', decimals: 1 },
          ],
          rows: [
            row('answered', load.acceptedMs),
            row('refused with 503', load.refusedMs),
            { name: 'anything else', values: { requests: load.otherwise } },
          ],
        },
        targets: [
          judge({ what: 'p99 of what was answered', sense: 'at most', limit: MOST_ACCEPTED_MS, unit: 'ms' }, accepted),
          judge({ what: 'p99 of what was refused', sense: 'at most', limit: MOST_REFUSED_MS, unit: 'ms' }, refused),
          judge({ what: 'memory', sense: 'at most', limit: MOST_GROWTH_PERCENT, unit: '% more' }, growth),
          judge({ what: 'speed a second later', sense: 'at least', limit: LEAST_AFTERWARDS, unit: 'x' }, afterwards),
          judge({ what: 'other answers', sense: 'at most', limit: 0, unit: '' }, load.otherwise),
        ],
        notes: [
          `capacity ${capacity.toFixed(1)} requests a second; ${memoryBefore.toFixed(1)} MB before`,
          `the generator sent its requests late by ${percentile(load.lateMs, 0.99).toFixed(1)} ms (p99): that is in the numbers`,
        ],
      };
    });
  },
};

function row(name: string, ms: readonly number[]) {
  return { name, values: { requests: ms.length, 'p50 ms': median(ms), 'p99 ms': percentile(ms, 0.99) } };
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}
