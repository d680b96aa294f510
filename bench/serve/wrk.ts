import { join } from 'node:path';
import { bodyFile } from './body-file.ts';
import { BENCH } from './root.ts';
import { lastLineOf, runTool } from './run-tool.ts';
import type { ServerProcess } from './server-process.ts';

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  /** Answers with another status than 2xx or 3xx, and connections that broke. */
  readonly failed: number;
  /** CPU seconds of the server meanwhile. */
  readonly serverCpuSeconds: number;
  /** Part of its core that the server used, 0 to 1. */
  readonly serverCoreUse: number;
  /** Part of its core that the generator used, 0 to 1. */
  readonly generatorCoreUse: number;
}

/** As many requests as the server answers, over kept connections, each with one request under way (closed loop). */
export async function loadWithWrk(
  server: ServerProcess,
  options: {
    readonly connections: number;
    readonly seconds: number;
    /** Another request than the peer's: JSON of `headerLength` bytes with binary tensors behind it. */
    readonly binary?: { readonly path: string; readonly body: Uint8Array; readonly headerLength: number };
  },
): Promise<Load> {
  const { binary } = options;
  const command = [
    ...['wrk', '-t', '1', '-c', String(options.connections), '-d', `${Math.ceil(options.seconds)}s`],
    ...['--timeout', '30s', '-s', join(BENCH, 'load', 'post.lua'), server.url + (binary?.path ?? server.peer.path)],
  ];
  const before = server.cpuSeconds();
  const { stdout, coreUse } = await runTool(command, {
    BODY: await bodyFile(binary?.body ?? server.peer.body),
    ...(binary ? { HEADER_LENGTH: String(binary.headerLength) } : {}),
  });
  const serverCpuSeconds = server.cpuSeconds() - before;
  const counted = lastLineOf<{ requests: number; seconds: number; failed: number }>(stdout);
  return {
    ...counted,
    serverCpuSeconds,
    serverCoreUse: serverCpuSeconds / counted.seconds,
    generatorCoreUse: coreUse,
  };
}
