import type { Metrics, MetricsValues } from './metrics.ts';

/** Every message says what its sender has counted, so that all threads know the same of each other. */
type Message = { readonly thread: string; readonly values: MetricsValues } & (
  | { readonly ask: string }
  | { readonly answer: string }
);

/** How long a scrape waits for threads that do not answer: one that is at work answers when it is done. */
const PATIENCE_MS = 1000;

/**
 * Collects what all serving threads have counted: a scrape reaches one of them, and Prometheus wants the whole pod.
 * Threads find each other by a channel's name, which is this process's own. Of a thread that does not answer in time what it last said
 * counts: without it counters would fall, which whoever reads them takes for a restart.
 */
export class AllMetrics {
  readonly #own: Metrics;
  readonly #threads: number;
  readonly #channel: BroadcastChannel | undefined;
  readonly #thread = crypto.randomUUID();
  readonly #others = new Map<string, MetricsValues>();
  readonly #waiting = new Map<string, () => void>();

  /** @param threads how many serve, this one included */
  constructor(own: Metrics, threads: number) {
    this.#own = own;
    this.#threads = threads;
    if (threads < 2) return;
    this.#channel = new BroadcastChannel('inlay-metrics');
    // A channel must not keep the process from ending.
    (this.#channel as unknown as { unref?: () => void }).unref?.();
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      this.#others.set(data.thread, data.values);
      if ('ask' in data) this.#post({ answer: data.ask });
      else this.#waiting.get(data.answer)?.();
    };
  }

  async collect(): Promise<readonly MetricsValues[]> {
    if (!this.#channel) return [this.#own.values()];
    const ask = crypto.randomUUID();
    const complete = Promise.withResolvers<void>();
    let answers = 0;
    this.#waiting.set(ask, () => {
      if (++answers === this.#threads - 1) complete.resolve();
    });
    this.#post({ ask });
    await Promise.race([complete.promise, Bun.sleep(PATIENCE_MS)]);
    this.#waiting.delete(ask);
    return [this.#own.values(), ...this.#others.values()];
  }

  close(): void {
    this.#channel?.close();
  }

  #post(message: { readonly ask: string } | { readonly answer: string }): void {
    this.#channel?.postMessage({ ...message, thread: this.#thread, values: this.#own.values() } satisfies Message);
  }
}
