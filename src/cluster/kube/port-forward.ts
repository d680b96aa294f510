import { createServer, type Socket } from 'node:net';
import { InlayError } from '../../error/index.ts';
import type { Kube } from './kube.ts';
import { pathOf, RESOURCES } from './resources.ts';

/** A port of this machine that leads to one of a pod, until it is closed. */
export interface Forward {
  readonly url: string;
  close(): Promise<void>;
}

export interface ForwardTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const OPEN_MS = 15_000;
/** Kubernetes' own framing of a forwarded port over a WebSocket: a byte that names the channel, then data. */
const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
const ERROR = 1;

/** Bun's WebSocket takes headers and certificates, which the browser's type does not know. */
const BunWebSocket = WebSocket as unknown as new (url: URL, options: Bun.WebSocketOptions) => WebSocket;

/**
 * Listens on 127.0.0.1 and leads each connection to a pod's port, through the API server and the kubelet: it needs no route to the
 * pod's network, which NetworkPolicies and private clusters close.
 * @param port of this machine; 0 takes a free one
 * @throws PORT_IN_USE
 */
export async function forwardPort(kube: Kube, target: ForwardTarget, port = 0): Promise<Forward> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    // It is destroyed with what went wrong; an error that nobody hears would end the program.
    socket.on('error', () => {});
    carry(kube, target, socket).catch((error) => socket.destroy(error instanceof Error ? error : undefined));
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', (cause) =>
    reject(
      new InlayError('PORT_IN_USE', `port ${port} is in use on 127.0.0.1`, {
        cause,
        hint: 'Choose another with --port.',
      }),
    ),
  );
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    resolve(typeof address === 'object' && address ? address.port : port);
  });
  return {
    url: `http://127.0.0.1:${await promise}`,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** One connection, from end to end. @throws CLUSTER_UNREACHABLE when it cannot be opened */
async function carry(kube: Kube, target: ForwardTarget, socket: Socket): Promise<void> {
  socket.pause();
  const { server, authenticate } = kube.connection;
  const { tls, headers } = await authenticate();
  const url = new URL(
    `${server.href.replace(/\/$/, '')}${pathOf(RESOURCES.pod, target.namespace, target.pod)}/portforward?ports=${target.port}`,
  );
  url.protocol = server.protocol === 'https:' ? 'wss:' : 'ws:';
  const tunnel = new BunWebSocket(url, { protocols: [PROTOCOL], headers, tls });
  tunnel.binaryType = 'arraybuffer';
  await opened(tunnel, kube.context, target);
  // Each channel starts with the port, two bytes.
  const begun = new Set<number>();
  tunnel.addEventListener('message', ({ data }) => {
    const bytes = new Uint8Array(data as ArrayBuffer);
    const channel = bytes[0] as number;
    const rest = bytes.subarray(begun.has(channel) ? 1 : 3);
    begun.add(channel);
    if (rest.byteLength === 0) return;
    if (channel === DATA) socket.write(rest);
    else if (channel === ERROR) socket.destroy(new Error(new TextDecoder().decode(rest)));
  });
  tunnel.addEventListener('close', () => socket.end());
  tunnel.addEventListener('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => tunnel.send(Buffer.concat([Buffer.of(DATA), chunk])));
  // There is no half-closing: who has sent all still waits for the answer.
  socket.on('close', () => tunnel.close());
  socket.on('error', () => tunnel.close());
  socket.resume();
}

async function opened(tunnel: WebSocket, context: string, { namespace, pod, port }: ForwardTarget): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string) =>
    reject(
      new InlayError(
        'CLUSTER_UNREACHABLE',
        `forwarding a port to Pod ${namespace}/${pod}:${port} in ${context}: ${why}`,
        {
          hint: 'It needs create on pods/portforward (inlay manifests --roles), and a pod that runs.',
        },
      ),
    );
  const timer = setTimeout(() => {
    tunnel.close();
    fail(`no answer within ${OPEN_MS / 1000} s`);
  }, OPEN_MS);
  tunnel.addEventListener('open', () => resolve());
  tunnel.addEventListener('error', (event) => fail((event as ErrorEvent).message || 'refused'));
  tunnel.addEventListener('close', ({ code, reason }) => fail(reason || `closed with ${code}`));
  await promise.finally(() => clearTimeout(timer));
}
