import type { Peer } from './peer.ts';
import { ServerProcess } from './server-process.ts';

/** Starts a server, does the work, and ends the server whatever came of it. */
export async function withServer<T>(peer: Peer, work: (server: ServerProcess) => Promise<T>): Promise<T> {
  const server = await ServerProcess.start(peer);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}
