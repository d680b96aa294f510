// The log of a pod, followed: what ends it.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { followLog } from '../../../src/cluster/index.ts';
import { type Connection, Kube } from '../../../src/cluster/kube/index.ts';
import { isInlayError } from '../../../src/error/index.ts';

let server: Bun.Server<undefined>;
/** What the pod's log does after its first line. */
let then: (controller: ReadableStreamDefaultController) => void;
beforeEach(() => {
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('serving\nno end'));
            then(controller);
          },
        }),
      ),
  });
});
afterEach(() => server.stop(true));

async function linesOf(
  stop: AbortController,
  seen: () => unknown = () => {},
): Promise<{ lines: string[]; code: unknown }> {
  const connection: Connection = {
    context: 'fake',
    namespace: 'ml',
    server: new URL(server.url),
    proxy: undefined,
    authenticate: async () => ({ tls: {}, headers: {} }),
  };
  const lines: string[] = [];
  try {
    for await (const line of followLog(new Kube(connection, { signal: stop.signal }), 'ml', 'iris', {})) {
      lines.push(line);
      seen();
    }
    return { lines, code: undefined };
  } catch (error) {
    return { lines, code: isInlayError(error) ? error.code : error };
  }
}

test('its last line may have no end', async () => {
  then = (controller) => controller.close();
  expect(await linesOf(new AbortController())).toEqual({ lines: ['serving', 'no end'], code: undefined });
});

test('a connection that is cut is told', async () => {
  then = () => {};
  expect(await linesOf(new AbortController(), () => server.stop(true))).toEqual({
    lines: ['serving'],
    code: 'CLUSTER_UNREACHABLE',
  });
});

test('whoever stops it has no error', async () => {
  then = () => {};
  const stop = new AbortController();
  expect(await linesOf(stop, () => stop.abort())).toEqual({ lines: ['serving'], code: undefined });
});
