import { formatBytes } from './output.ts';

const CELLS = 24;
/** Before this a rate is a guess, milliseconds. */
const GUESS_MS = 500;

/**
 * A transfer as one line: `pushed    ███████▌                 30 %  17.9 MB of 59.5 MB  8.9 MB/s  5 s left`.
 * @param elapsedMs since the transfer began
 */
export function transferBar(what: string, doneBytes: number, totalBytes: number, elapsedMs: number): string {
  const share = totalBytes > 0 ? Math.min(1, Math.max(0, doneBytes / totalBytes)) : 0;
  const eighths = Math.round(share * CELLS * 8);
  const part = eighths % 8 === 0 ? '' : String.fromCodePoint(0x2590 - (eighths % 8));
  const bar = `${'█'.repeat(Math.floor(eighths / 8))}${part}`.padEnd(CELLS);
  const rate = doneBytes / (elapsedMs / 1000);
  const left = Math.ceil((totalBytes - doneBytes) / rate);
  const speed = elapsedMs < GUESS_MS || doneBytes <= 0 ? '' : `  ${formatBytes(rate)}/s  ${duration(left)} left`;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${what}  ${bar} ${percent}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}${speed}`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
