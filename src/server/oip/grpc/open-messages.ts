import { DATA, END_STREAM, Frames, HEADERS, PREFACE_BYTES, RST_STREAM } from './frames.ts';

/**
 * How much has come of messages that are not whole yet, on one connection: grpc-js keeps all of it, for as long as the
 * sender likes.
 */
export class OpenMessages {
  readonly #streams = new Map<number, number>();
  readonly #received: Frames;
  readonly #sent: Frames;
  readonly #changed: (bytes: number) => void;
  #bytes = 0;

  /** @param changed told by how many bytes it is more, or less */
  constructor(changed: (bytes: number) => void) {
    this.#changed = changed;
    this.#received = new Frames((type, flags, stream, bytes) => {
      if (type === RST_STREAM || (type <= HEADERS && (flags & END_STREAM) !== 0)) this.#end(stream);
      else if (type === DATA) this.#add(stream, bytes);
    }, PREFACE_BYTES);
    this.#sent = new Frames((type, flags, stream) => {
      if (type === RST_STREAM || (type <= HEADERS && (flags & END_STREAM) !== 0)) this.#end(stream);
    });
  }

  get bytes(): number {
    return this.#bytes;
  }

  received(bytes: Uint8Array): void {
    this.#received.pass(bytes);
  }

  sent(bytes: Uint8Array): void {
    this.#sent.pass(bytes);
  }

  /** The connection is closed. */
  close(): void {
    this.#streams.clear();
    this.#changed(-this.#bytes);
    this.#bytes = 0;
  }

  #add(stream: number, bytes: number): void {
    this.#streams.set(stream, (this.#streams.get(stream) ?? 0) + bytes);
    this.#bytes += bytes;
    this.#changed(bytes);
  }

  #end(stream: number): void {
    const bytes = this.#streams.get(stream);
    if (bytes === undefined) return;
    this.#streams.delete(stream);
    this.#bytes -= bytes;
    this.#changed(-bytes);
  }
}
