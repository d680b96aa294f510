import type { Metrics, MetricsValues } from './metrics.ts';

type Message = { readonly ask: string } | { readonly answer: string; readonly values: MetricsValues };

/** How long a scrape waits for threads that do not answer: one that is at work answers when it is done. */
const PATIENCE_MS = 1000;

/**
 * Collects what all serving threads have counted: a scrape reaches one of them, and Prometheus wants the whole pod.
 * Threads find each other by a channel's name, which is this process's own.
 */
export class AllMetrics {
  readonly #own: Metrics;
  readonly #threads: number;
  readonly #channel: BroadcastChannel | undefined;
  readonly #waiting = new Map<string, (values: MetricsValues) => void>();

  /** @param threads how many serve, this one included */
  constructor(own: Metrics, threads: number) {
    this.#own = own;
    this.#threads = threads;
    if (threads < 2) return;
    this.#channel = new BroadcastChannel('inlay-metrics');
    // A channel must not keep the process from ending.
    (this.#channel as unknown as { unref?: () => void }).unref?.();
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ('ask' in data) this.#channel?.postMessage({ answer: data.ask, values: this.#own.values() } satisfies Message);
      else this.#waiting.get(data.answer)?.(data.values);
    };
  }

  async collect(): Promise<readonly MetricsValues[]> {
    const all = [this.#own.values()];
    if (!this.#channel) return all;
    const ask = crypto.randomUUID();
    const complete = Promise.withResolvers<void>();
    this.#waiting.set(ask, (values) => {
      all.push(values);
      if (all.length === this.#threads) complete.resolve();
    });
    this.#channel.postMessage({ ask } satisfies Message);
    await Promise.race([complete.promise, Bun.sleep(PATIENCE_MS)]);
    this.#waiting.delete(ask);
    return all;
  }

  close(): void {
    this.#channel?.close();
  }
}
