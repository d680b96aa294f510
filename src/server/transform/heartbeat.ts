import type { WatchdogOrder } from './watchdog-worker.ts';

/** How often a serving thread says that it is there, milliseconds. */
const BEAT_MS = 250;
/** Beside the bundle in an image, among the sources in a checkout. */
const PROGRAM = import.meta.path.endsWith('.ts') ? 'watchdog-worker.ts' : 'watchdog-worker.js';

/** A number a serving thread, in memory that all threads see. */
export function heartbeats(threads: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * threads));
}

/** Beats for as long as the thread's event loop turns. */
export function beat(beats: Int32Array, thread: number): void {
  setInterval(() => Atomics.add(beats, thread, 1), BEAT_MS).unref();
}

/**
 * Ends the process when a serving thread stands still: a transform that never returns cannot be stopped otherwise, and would keep
 * its thread, with the requests and probes that come to it, for ever. Whoever runs the container starts it again.
 * @param afterMs how long it may stand still
 */
export function startWatchdog(beats: Int32Array, afterMs: number): void {
  const worker = new Worker(new URL(PROGRAM, import.meta.url), { name: 'watchdog' });
  // It must not keep the process from ending.
  (worker as unknown as { unref?: () => void }).unref?.();
  worker.postMessage({ beats, afterMs } satisfies WatchdogOrder);
}
