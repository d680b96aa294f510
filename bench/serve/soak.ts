// npm run bench:soak [MINUTES]: loads the server for that long and tells whether its memory stays flat.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireTwoCores } from './cores.ts';
import { flatness } from './flatness.ts';
import { layOutModel } from './models/model-dir.ts';
import { requirePeer } from './peers.ts';
import { renderFigure } from './render.ts';
import { loadAndSample } from './resident-samples.ts';
import { judge } from './result.ts';
import { ROOT } from './root.ts';
import { verifyAnswer } from './verify.ts';
import { withServer } from './with-server.ts';

const DEFAULT_MINUTES = 30;
const MOST_GROWTH_PERCENT = 2;

const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
const minutes = Number(positionals[0] ?? DEFAULT_MINUTES);
if (!(minutes > 0 && minutes <= 24 * 60)) {
  console.error(`${positionals[0]}: expected minutes, at most a day`);
  process.exit(2);
}
requireTwoCores();

const iris = await layOutModel(join(ROOT, 'examples', 'iris'));
await withServer(await requirePeer('inlay', iris), async (server) => {
  await verifyAnswer(server, iris);
  const load = await loadAndSample(server, {
    connections: 32,
    sliceSeconds: Math.min(10, minutes * 6),
    done: (_, seconds) => seconds >= minutes * 60,
    onSlice: ({ requests, seconds, residentMb }, rate) =>
      process.stderr.write(
        `${seconds.toFixed(0)} s: ${(requests / 1e6).toFixed(2)} M requests, ${rate.toFixed(0)}/s, ${residentMb.toFixed(1)} MB\n`,
      ),
  });
  // Golden numbers before and after: a long load must not have changed them.
  await verifyAnswer(server, iris);
  const { tenths, growthPercent } = flatness(load.samples);
  const result = {
    table: {
      columns: [{ name: 'MB', decimals: 1 }],
      rows: [
        ...tenths.map((residentMb, tenth) => ({
          name: `${tenth * 10} to ${tenth * 10 + 10} %`,
          values: { MB: residentMb },
        })),
        { name: 'highest (VmHWM)', values: { MB: server.residentMb().highest } },
      ],
    },
    targets: [
      judge(
        { what: 'growth from the second tenth to the last', sense: 'at most', limit: MOST_GROWTH_PERCENT, unit: '%' },
        growthPercent,
      ),
      judge({ what: 'failed requests', sense: 'at most', limit: 0, unit: '' }, load.failed),
    ],
    notes: [`${load.requests.toLocaleString('en-US')} requests in ${(load.seconds / 60).toFixed(1)} minutes`],
  };
  console.log(renderFigure(`Soak, ${minutes} minutes`, result));
  if (values.json !== undefined)
    await writeFile(
      values.json,
      `${JSON.stringify({ schemaVersion: 1, minutes, ...result, samples: load.samples }, null, 2)}\n`,
    );
});
