// npm run bench:hostile: clients that mean no good, at scale, and how the server and its other clients fare meanwhile.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireTwoCores } from './cores.ts';
import type { Fate } from './hostile/attackers.ts';
import { attacks } from './hostile/attacks.ts';
import { startGoodClient } from './hostile/good-client.ts';
import { layOutModel } from './models/model-dir.ts';
import type { Peer } from './peer.ts';
import { requirePeer } from './peers.ts';
import { renderFigure } from './render.ts';
import { judge } from './result.ts';
import { BENCH, BUN, ROOT } from './root.ts';
import { lastLineOf, runTool } from './run-tool.ts';
import { freePort } from './server-process.ts';
import { verifyAnswer } from './verify.ts';
import { withServer } from './with-server.ts';
import { loadWithWrk } from './wrk.ts';

/** What is read of it, or held for those who are slow, goes back to the system some seconds later. */
const SETTLE_MS = 3_000;
const MOST_GROWTH_PERCENT = 10;

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '2' },
  },
});
const scale = Number(values.scale);
if (!(scale > 0 && scale <= 1)) {
  console.error(`--scale ${values.scale}: expected a number above 0, to 1`);
  process.exit(2);
}
const rounds = Number(values.rounds);
requireTwoCores();

const iris = await layOutModel(join(ROOT, 'examples', 'iris'));
const grpcPort = freePort();
const inlay = await requirePeer('inlay', iris);
const peer: Peer = { ...inlay, env: { ...inlay.env, GRPC_PORT: String(grpcPort), BODY_TIMEOUT_S: '5' } };
await withServer(peer, async (server) => {
  await verifyAnswer(server, iris);
  await loadWithWrk(server, { connections: 32, seconds: 5 });
  const before = server.residentMb().now;
  const chosen = attacks(scale).filter(({ name }) => values.only === undefined || name.includes(values.only));
  let rows: { readonly name: string; readonly values: Readonly<Record<string, number>> }[] = [];
  const after: number[] = [];
  let failed = 0;
  for (const [i, { name, port, connections }] of Array.from({ length: rounds }, () => chosen)
    .flat()
    .entries()) {
    process.stderr.write(`${name}\n`);
    if (i % chosen.length === 0) rows = [];
    const good = startGoodClient(server);
    const mb: number[] = [];
    const sampling = setInterval(() => mb.push(server.residentMb().now), 100);
    const cpu = server.cpuSeconds();
    const started = performance.now();
    const to = port === 'grpc' ? grpcPort : server.port;
    const { stdout } = await runTool([
      ...[BUN, '--no-env-file', join(BENCH, 'hostile', 'attacker.ts'), name, String(to), String(scale)],
    ]);
    const { made, ended } = lastLineOf<Fate>(stdout);
    mb.push(server.residentMb().now);
    const coreUse = (server.cpuSeconds() - cpu) / ((performance.now() - started) / 1000);
    clearInterval(sampling);
    const fared = await good.stop();
    await Bun.sleep(SETTLE_MS);
    failed += fared.failed + (connections - made);
    if (i % chosen.length === chosen.length - 1) after.push(server.residentMb().now);
    rows.push({
      name,
      values: {
        connections: made,
        'ended by server': ended,
        'MB highest': Math.max(...mb),
        'MB after': server.residentMb().now,
        'core used': coreUse,
        'others answered': fared.answered,
        failed: fared.failed,
        'p99 ms': fared.p99Ms,
      },
    });
  }
  await verifyAnswer(server, iris);
  const growth = ((after.at(-1) as number) / (after.at(-2) ?? before) - 1) * 100;
  const result = {
    table: {
      columns: [
        { name: 'connections', decimals: 0 },
        { name: 'ended by server', decimals: 0 },
        { name: 'MB highest', decimals: 1 },
        { name: 'MB after', decimals: 1 },
        { name: 'core used', decimals: 2 },
        { name: 'others answered', decimals: 0 },
        { name: 'failed', decimals: 0 },
        { name: 'p99 ms', decimals: 1 },
      ],
      rows,
    },
    targets: [
      judge(
        {
          what: 'memory after all of it, against the same once before',
          sense: 'at most',
          limit: MOST_GROWTH_PERCENT,
          unit: '% more',
        } as const,
        growth,
      ),
      judge({ what: "others' requests that failed", sense: 'at most', limit: 0, unit: '' } as const, failed),
    ],
    notes: [
      `${before.toFixed(1)} MB after 5 s of load, without gRPC's libraries`,
      `after each round: ${after.map((mb) => `${mb.toFixed(1)} MB`).join(', ')}; the table is the last round's`,
    ],
  };
  console.log(renderFigure('Clients that mean no good', result));
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ schemaVersion: 1, scale, ...result }, null, 2)}\n`);
});
