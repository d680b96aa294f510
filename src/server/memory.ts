import { readFileSync } from 'node:fs';

/** What the whole process holds now, all its threads together, bytes. */
export interface ProcessMemory {
  /** All of its pages that are in memory. */
  readonly resident: number;
  /**
   * Those of them that only its end gives back: anonymous and shared ones. A model's file is mapped, and its pages are dropped when
   * memory runs short, so they never get a container killed.
   */
  readonly held: number;
}

/** Some 30 us; Linux tells both in /proc, elsewhere all that is resident counts as held. */
export function processMemory(): ProcessMemory {
  const resident = process.memoryUsage.rss();
  const held = process.platform === 'linux' ? heldBytes() : undefined;
  return { resident, held: held ?? resident };
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
