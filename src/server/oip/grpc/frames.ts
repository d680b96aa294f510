/** HTTP/2's frame types and flags, as far as they are looked at (RFC 9113, 6). */
export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const END_STREAM = 1;

/** What a client sends before its first frame. */
export const PREFACE_BYTES = 24;

const HEAD_BYTES = 9;

type TakeFrame = (type: number, flags: number, stream: number, bytes: number) => void;

/** Tells of each frame that passes by when its head is there; what is in it is not looked at. */
export class Frames {
  readonly #take: TakeFrame;
  readonly #head = new Uint8Array(HEAD_BYTES);
  /** How much of a head is there already. */
  #known = 0;
  /** Bytes until the next head. */
  #skip: number;

  /** @param skip bytes before the first frame */
  constructor(take: TakeFrame, skip = 0) {
    this.#take = take;
    this.#skip = skip;
  }

  pass(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      while (this.#skip === 0 && at < bytes.length && this.#known < HEAD_BYTES)
        this.#head[this.#known++] = bytes[at++] as number;
      if (this.#known === HEAD_BYTES) this.#frame();
    }
  }

  #frame(): void {
    const [a, b, c, type, flags, d, e, f, g] = this.#head as unknown as [
      ...[number, number, number, number, number, number, number, number, number],
    ];
    this.#known = 0;
    this.#skip = a * 65536 + b * 256 + c;
    // The first bit of a stream's number is reserved.
    this.#take(type, flags, (d & 0x7f) * 16_777_216 + e * 65536 + f * 256 + g, this.#skip);
  }
}
