import type { Socket } from 'bun';

/** What goes to a client: Bun's sockets keep nothing of what the kernel does not take. */
export class Outbox {
  readonly #socket: Pick<Socket<unknown>, 'write'>;
  /** First come first: joined they would be copied again for each that comes. */
  #unsent: Buffer[] = [];
  #bytes = 0;

  constructor(socket: Pick<Socket<unknown>, 'write'>) {
    this.#socket = socket;
  }

  /** Something waits for the kernel to take it. */
  get full(): boolean {
    return this.#bytes > 0;
  }

  /** How much that is. */
  get bytes(): number {
    return this.#bytes;
  }

  clear(): void {
    this.#unsent = [];
    this.#bytes = 0;
  }

  /** @param data is the caller's again afterwards @returns whether the kernel has all of it */
  write(data: string | Buffer): boolean {
    if (this.#bytes > 0) {
      this.#keep(Buffer.from(data as Buffer));
      return false;
    }
    const sent = this.#socket.write(data);
    if (sent === Buffer.byteLength(data)) return true;
    // Below zero: the connection is closed, which it is told of.
    if (sent >= 0) this.#keep(Buffer.from(data as Buffer).subarray(sent));
    return false;
  }

  /** The kernel takes bytes again. @returns whether it has all now */
  drained(): boolean {
    for (let first = this.#unsent[0]; first; first = this.#unsent[0]) {
      const sent = this.#socket.write(first);
      if (sent < 0) return false;
      this.#bytes -= sent;
      if (sent < first.length) {
        this.#unsent[0] = first.subarray(sent);
        return false;
      }
      this.#unsent.shift();
    }
    return true;
  }

  #keep(bytes: Buffer): void {
    this.#unsent.push(bytes);
    this.#bytes += bytes.length;
  }
}
