import type { Socket } from 'bun';

/** One kind of clients that mean no good. */
export interface Attack {
  readonly name: string;
  readonly port: 'http' | 'grpc';
  readonly connections: number;
  /** What each sends when it is connected. */
  readonly first: string | Uint8Array;
  /** What each sends again and again. */
  readonly trickle?: { readonly text: string; readonly everyMs: number };
  /** What each does not even wait for an answer to: the connection is reset as soon as `first` is sent. */
  readonly aborts?: boolean;
  /** How long it goes on, unless the server has ended all of them before. */
  readonly seconds: number;
}

export interface Fate {
  /** Connections that were made. */
  readonly made: number;
  /** Connections that the server ended. */
  readonly ended: number;
}

const AT_ONCE = 500;
/** What a socket does not take at once is sent when it drains. */
interface State {
  unsent: Uint8Array;
  ended: boolean;
}

/** Runs an attack from this process to its end. */
export async function attack(port: number, { connections, first, trickle, aborts, seconds }: Attack): Promise<Fate> {
  const bytes = typeof first === 'string' ? Buffer.from(first) : first;
  const sockets: Socket<State>[] = [];
  let ended = 0;
  let made = 0;
  const send = (socket: Socket<State>) => {
    const { unsent } = socket.data;
    const count = unsent.length === 0 ? 0 : socket.write(unsent);
    socket.data.unsent = unsent.subarray(Math.max(0, count));
    if (!aborts || socket.data.unsent.length > 0) return;
    socket.data.ended = true;
    socket.terminate();
  };
  const open = () =>
    Bun.connect<State>({
      hostname: '127.0.0.1',
      port,
      data: { unsent: bytes, ended: false },
      socket: {
        open: (socket) => {
          made++;
          sockets.push(socket);
          send(socket);
        },
        drain: send,
        data: () => {},
        close: ({ data }) => {
          if (!data.ended) ended++;
          data.ended = true;
        },
        error: () => {},
      },
    }).catch(() => {});
  for (let begun = 0; begun < connections; begun += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, connections - begun) }, open));
  const timer =
    trickle &&
    setInterval(() => {
      for (const socket of sockets) if (!socket.data.ended) socket.write(trickle.text);
    }, trickle.everyMs);
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until && sockets.some(({ data }) => !data.ended)) await Bun.sleep(50);
  clearInterval(timer);
  const fate = { made, ended };
  for (const socket of sockets) socket.terminate();
  return fate;
}
