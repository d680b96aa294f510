export interface QuietOptions {
  /** As long as this no request may have come, milliseconds. */
  readonly quietMs: number;
  /** After so long it is over whatever comes, milliseconds. */
  readonly mostMs: number;
  /** How many requests have come to what waits: it grows. */
  readonly asked: () => number;
  /** How many have come to all that wait, all threads together: shared memory. */
  readonly all: Int32Array;
  /** Ends the wait early. */
  readonly hurry: Promise<void>;
}

const LOOK_MS = 100;

/**
 * Waits until requests have ceased to come: whoever routes them knows by then that they should go elsewhere. All that wait on the same
 * `all` are done within LOOK_MS of each other, so that none still serves where another has stopped to listen.
 * @returns whether they still came when the longest time was over
 */
export async function untilQuiet({ quietMs, mostMs, asked, all, hurry }: QuietOptions): Promise<boolean> {
  const begun = performance.now();
  let hurried = false;
  hurry.then(() => {
    hurried = true;
  });
  let own = asked();
  let seen = Atomics.load(all, 0);
  let last = begun;
  for (;;) {
    const now = performance.now();
    const before = own;
    own = asked();
    Atomics.add(all, 0, own - before);
    if (Atomics.load(all, 0) !== seen) {
      seen = Atomics.load(all, 0);
      last = now;
    }
    const leftMs = last + quietMs - now;
    if (hurried || leftMs <= 0) return false;
    const leftAtMostMs = begun + mostMs - now;
    if (leftAtMostMs <= 0) return true;
    await Promise.race([Bun.sleep(Math.min(LOOK_MS, leftMs, leftAtMostMs)), hurry]);
  }
}
