import type { ServerProcess } from '../server-process.ts';

const EVERY_MS = 20;
const PATIENCE_MS = 10_000;

/** How somebody fared who only wanted a prediction. */
export interface Fared {
  readonly answered: number;
  readonly failed: number;
  readonly p99Ms: number;
}

/** Asks every 20 ms, every second time on a connection of its own, until it is stopped. */
export function startGoodClient(server: ServerProcess): { stop: () => Promise<Fared> } {
  const ms: number[] = [];
  let failed = 0;
  let sent = 0;
  const pending = new Set<Promise<void>>();
  const ask = async () => {
    const headers: Record<string, string> = sent++ % 2 === 0 ? { connection: 'close' } : {};
    const started = performance.now();
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const response = await fetch(server.url + server.peer.path, {
        method: 'POST',
        body: server.peer.body,
        headers,
        signal,
      });
      await response.arrayBuffer();
      if (response.status === 200) ms.push(performance.now() - started);
      else failed++;
    } catch {
      failed++;
    }
  };
  const timer = setInterval(() => {
    const one: Promise<void> = ask().finally(() => pending.delete(one));
    pending.add(one);
  }, EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      const sorted = ms.toSorted((a, b) => a - b);
      return { answered: ms.length, failed, p99Ms: sorted[Math.floor(ms.length * 0.99)] ?? Number.NaN };
    },
  };
}
