/** What an open loop found; times in milliseconds from when each request was due. */
export interface OpenLoop {
  readonly acceptedMs: readonly number[];
  readonly refusedMs: readonly number[];
  /** Answers that are neither 200 nor 503 with Retry-After, and connections that broke. */
  readonly otherwise: number;
  /** How much later than due requests were sent: the generator's own doing. */
  readonly lateMs: readonly number[];
}

/** Sends each request when it is due, whether or not others were answered. @param rate requests a second */
export async function openLoop(url: string, body: string, rate: number, seconds: number): Promise<OpenLoop> {
  const load = { acceptedMs: [] as number[], refusedMs: [] as number[], otherwise: 0, lateMs: [] as number[] };
  const started = performance.now();
  const send = async (due: number) => {
    load.lateMs.push(performance.now() - due);
    try {
      const response = await fetch(url, { method: 'POST', body });
      await response.arrayBuffer();
      const ms = performance.now() - due;
      if (response.status === 200) load.acceptedMs.push(ms);
      else if (response.status === 503 && response.headers.has('retry-after')) load.refusedMs.push(ms);
      else load.otherwise++;
    } catch {
      load.otherwise++;
    }
  };
  const all: Promise<void>[] = [];
  for (let i = 0; i < rate * seconds; i++) {
    const due = started + (i * 1000) / rate;
    // A timer may be early by a part of a millisecond.
    while (performance.now() < due) await Bun.sleep(Math.max(1, due - performance.now()));
    all.push(send(due));
  }
  await Promise.all(all);
  return load;
}
