import { readFileSync } from 'node:fs';

/**
 * What only the end of the process gives back, all its threads together, bytes: anonymous and shared pages. A model's file is mapped,
 * and its pages are dropped when memory runs short, so they never get a container killed. Some 30 us; where there is no /proc, all that
 * is resident counts.
 */
export function heldMemory(): number {
  return (process.platform === 'linux' ? heldBytes() : undefined) ?? process.memoryUsage.rss();
}

/** RssAnon and RssShmem of proc_pid_status(5), kB; undefined where the kernel (gVisor's, say) has them not. */
function heldBytes(): number | undefined {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    const kilobytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s*(\d+) kB$/gm)].map(([, digits]) => Number(digits));
    return kilobytes.length === 2 ? kilobytes.reduce((sum, one) => sum + one, 0) * 1024 : undefined;
  } catch {
    return undefined;
  }
}
