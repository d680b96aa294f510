import type { FromReplica } from '../replica-messages.ts';
import type { LineSink } from './line-sink.ts';

/** A serving thread's way to the sink that the main thread has: one file has one writer. */
export class MainSink implements LineSink {
  readonly #send: (message: FromReplica) => void;
  #settle: (written: boolean) => void = () => {};

  constructor(send: (message: FromReplica) => void) {
    this.#send = send;
  }

  write(lines: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#send({ kind: 'predictions', lines });
    });
  }

  /** The main thread has written the last lines, or lost them. */
  written(written: boolean): void {
    this.#settle(written);
  }

  async close(): Promise<void> {}
}
