import type { Socket } from 'bun';

/** What goes to a client: Bun's sockets keep nothing of what the kernel does not take. */
export class Outbox {
  readonly #socket: Pick<Socket<unknown>, 'write'>;
  #unsent: Buffer | undefined = undefined;

  constructor(socket: Pick<Socket<unknown>, 'write'>) {
    this.#socket = socket;
  }

  /** Something waits for the kernel to take it. */
  get full(): boolean {
    return this.#unsent !== undefined;
  }

  /** How much that is, bytes. */
  get bytes(): number {
    return this.#unsent?.length ?? 0;
  }

  clear(): void {
    this.#unsent = undefined;
  }

  /** @returns whether the kernel has all of it */
  write(data: string | Buffer): boolean {
    if (this.#unsent) {
      this.#unsent = Buffer.concat([this.#unsent, Buffer.from(data as Buffer)]);
      return false;
    }
    const sent = this.#socket.write(data);
    if (sent === Buffer.byteLength(data)) return true;
    // Below zero: the connection is closed, which it is told of.
    if (sent >= 0) this.#unsent = Buffer.from(data as Buffer).subarray(sent);
    return false;
  }

  /** The kernel takes bytes again. @returns whether it has all now */
  drained(): boolean {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    return unsent !== undefined && this.write(unsent);
  }
}
