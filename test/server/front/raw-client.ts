import { connect, type Socket } from 'node:net';

/** An answer as it came: status line and headers, and the body. */
export interface RawAnswer {
  readonly status: number;
  /** By name, in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly head: string;
  readonly body: string;
}

/** A connection that sends bytes and takes answers apart, in their order. */
export class RawClient {
  readonly socket: Socket;
  #text = '';
  #ended = false;
  #changed = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.#text += bytes.toString('latin1');
      this.#wake();
    });
    for (const event of ['end', 'close', 'error'] as const)
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
  }

  static async open(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** The next answer; undefined where the server ended instead. */
  async answer(): Promise<RawAnswer | undefined> {
    for (;;) {
      const answer = this.#take();
      if (answer || this.#ended) return answer;
      await this.#changed.promise;
    }
  }

  /** All that comes until the server ends the connection. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#changed.promise;
    return this.#text;
  }

  close(): void {
    this.socket.destroy();
  }

  #take(): RawAnswer | undefined {
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = this.#text.slice(0, end);
    const [line = '', ...fields] = head.split('\r\n');
    const headers = Object.fromEntries(
      fields.map((field) => [field.split(':')[0]?.toLowerCase() ?? '', field.slice(field.indexOf(':') + 1).trim()]),
    );
    const length = Number(headers['content-length'] ?? 0);
    if (this.#text.length < end + 4 + length) return undefined;
    const body = this.#text.slice(end + 4, end + 4 + length);
    this.#text = this.#text.slice(end + 4 + length);
    return { status: Number(line.split(' ')[1]), headers, head, body };
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

export const BODY = '{"data":[[5.1,3.5,1.4,0.2]]}';

/** A request, with what a client of a model sends. @param more header lines, each with its end */
export function predict(body = BODY, more = '', path = '/predict'): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${Buffer.from(body).toString('latin1')}`;
}
