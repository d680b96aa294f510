import { bodyFile } from './body-file.ts';
import { runTool } from './run-tool.ts';
import type { ServerProcess } from './server-process.ts';
import type { Load } from './wrk.ts';

/** As many unary gRPC calls as a server answers (closed loop), each the same message. */
export async function loadWithH2load(
  server: ServerProcess,
  options: {
    readonly port: number;
    /** `/package.Service/Method` */
    readonly path: string;
    /** The request, encoded. */
    readonly message: Uint8Array;
    readonly connections: number;
    /** Calls under way on each connection. */
    readonly streams: number;
    readonly seconds: number;
  },
): Promise<Load> {
  const seconds = Math.ceil(options.seconds);
  const command = [
    ...['h2load', '-t', '1', '-c', String(options.connections), '-m', String(options.streams), '-D', String(seconds)],
    ...['-d', await bodyFile(framed(options.message)), '-H', 'content-type: application/grpc', '-H', 'te: trailers'],
    `http://127.0.0.1:${options.port}${options.path}`,
  ];
  const before = server.cpuSeconds();
  const { stdout, coreUse } = await runTool(command);
  const serverCpuSeconds = server.cpuSeconds() - before;
  const counts = /requests: .*?(\d+) done, (\d+) succeeded, (\d+) failed/.exec(stdout);
  if (!counts) throw new Error(`h2load says nothing of requests: ${stdout.slice(-300)}`);
  return {
    requests: Number(counts[2]),
    seconds,
    failed: Number(counts[1]) - Number(counts[2]),
    serverCpuSeconds,
    serverCoreUse: serverCpuSeconds / seconds,
    generatorCoreUse: coreUse,
  };
}

/** gRPC's frame: not compressed, four bytes of length, the message. */
function framed(message: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
