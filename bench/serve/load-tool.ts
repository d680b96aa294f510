import { join } from 'node:path';
import { bodyFile } from './body-file.ts';
import { onCore } from './cores.ts';
import { buildCrate } from './install/cargo.ts';
import type { Peer } from './peer.ts';
import { BENCH } from './root.ts';
import { lastLineOf, runTool } from './run-tool.ts';
import { freePort, type ServerProcess } from './server-process.ts';

/** Latencies at a constant rate, microseconds from when each request was due. */
export interface Paced {
  readonly sent: number;
  readonly failed: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  /** How late the generator itself was. */
  readonly generatorP99Us: number;
}

export interface PacedOptions {
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly connections: number;
  /** Another request than the peer's own: a GET of this path. */
  readonly get?: string;
}

/** Sends at a constant rate, whether or not answers come (open loop). */
export async function loadAtRate(server: ServerProcess, options: PacedOptions): Promise<Paced> {
  const request = options.get
    ? ['--path', options.get]
    : ['--path', server.peer.path, '--body', await bodyFile(server.peer.body)];
  const { stdout } = await runTool([
    ...[await loadTool(), 'paced', '--port', String(server.port), ...request],
    ...['--rate', String(options.rate), '--seconds', String(options.seconds)],
    ...['--warmup', String(options.warmupSeconds), '--connections', String(options.connections)],
  ]);
  return lastLineOf<Paced>(stdout);
}

/** Milliseconds from starting a peer's program to its first answer with 200; then it is killed. */
export async function firstAnswerMs(peer: Peer): Promise<number> {
  const port = freePort();
  const { env = {}, words = [] } = peer.listen(port);
  const { stdout } = await runTool(
    [
      ...[await loadTool(), 'first', '--port', String(port), '--path', peer.path],
      ...['--body', await bodyFile(peer.body), '--', ...onCore('server', [...peer.command, ...words])],
    ],
    { ...peer.env, ...env },
  );
  return lastLineOf<{ firstAnswerMs: number }>(stdout).firstAnswerMs;
}

async function loadTool(): Promise<string> {
  return join(await buildCrate(join(BENCH, 'load')), 'inlay-bench-load');
}
