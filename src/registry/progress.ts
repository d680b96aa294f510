/** What long work tells on its way. `doneBytes` may fall when bytes have to be sent again. */
export interface TransferProgress {
  readonly doneBytes: number;
  /** Of the blobs to be moved, as far as known: those that are there already leave it. */
  readonly totalBytes: number;
  /** A blob or manifest that is finished, and how. */
  readonly finished?: { readonly digest: string; readonly sizeBytes: number; readonly how: Moved };
}

/** How a blob or manifest came to be where it should: it went over the wire, was mounted from a sibling, or was there. */
export type Moved = 'sent' | 'mounted' | 'there';

export type OnProgress = (progress: TransferProgress) => void;

/** Adds up the progress of blobs that move at the same time. */
export class Meter {
  readonly #tell: OnProgress | undefined;
  #doneBytes = 0;
  #totalBytes = 0;

  constructor(tell: OnProgress | undefined) {
    this.#tell = tell;
  }

  expect(bytes: number): void {
    this.#totalBytes += bytes;
  }

  moved(bytes: number): void {
    this.#doneBytes += bytes;
    this.#tell?.({ doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }

  finished(digest: string, sizeBytes: number, how: Moved): void {
    if (how !== 'sent') this.#totalBytes -= sizeBytes;
    this.#tell?.({
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      finished: { digest, sizeBytes, how },
    });
  }
}
