import type { WatchdogOrder } from './watchdog-worker.ts';

/** Beside the bundle in an image, among the sources in a checkout. */
const PROGRAM = import.meta.path.endsWith('.ts') ? 'watchdog-worker.ts' : 'watchdog-worker.js';

/**
 * Ends the process when a serving thread stands still: a transform that never returns cannot be stopped otherwise, and would keep
 * its thread, with the requests and probes that come to it, for ever. Whoever runs the container starts it again.
 * @param pulses of the serving threads, see Liveness @param afterMs how long one may stand still
 */
export function startWatchdog(pulses: Int32Array, afterMs: number): void {
  const worker = new Worker(new URL(PROGRAM, import.meta.url), { name: 'watchdog' });
  // It must not keep the process from ending.
  (worker as unknown as { unref?: () => void }).unref?.();
  worker.postMessage({ pulses, afterMs } satisfies WatchdogOrder);
}
