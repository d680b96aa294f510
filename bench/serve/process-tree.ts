import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc's times a second; the same on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
  /** When it started, ticks since boot: with the pid it names one process only. */
  readonly started: number;
}

/** The process and all that came from it and still live. */
export function treeOf(pid: number): number[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  const found = [pid];
  for (let at = 0; at < found.length; at++)
    found.push(...all.filter((stat) => stat.parent === found[at]).map((stat) => stat.pid));
  return found;
}

/** Notes which processes a tree has now; what it returns kills those of them that live on, and no other with a pid of theirs. */
export function rememberTree(pid: number): () => void {
  const stats = treeOf(pid).flatMap((one) => statOf(one) ?? []);
  return () => {
    for (const stat of stats) if (statOf(stat.pid)?.started === stat.started) process.kill(stat.pid, 'SIGKILL');
  };
}

/** CPU seconds that a process tree has used so far: user and system, those of ended children included. */
export function cpuSecondsOf(pid: number): number {
  return treeOf(pid).reduce((sum, one) => sum + (statOf(one)?.ticks ?? 0), 0) / TICKS_PER_SECOND;
}

/** Resident memory of a process tree, MB (10^6 bytes): now, and at its highest. */
export function residentMbOf(pid: number): { readonly now: number; readonly highest: number } {
  const fields = treeOf(pid).map((one) => readOrNothing(`/proc/${one}/status`));
  const sum = (name: string) =>
    fields.reduce((all, text) => all + Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0), 0);
  return { now: (sum('VmRSS') * 1024) / 1e6, highest: (sum('VmHWM') * 1024) / 1e6 };
}

/** proc(5): the fields after the name, which may hold spaces; utime, stime, cutime and cstime are the 14th to the 17th, starttime the 22nd. */
function statOf(pid: number): Stat | undefined {
  const text = readOrNothing(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20) return undefined;
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid, parent: Number(fields[1]), ticks, started: Number(fields[19]) };
}

/** A process may end between being listed and being read. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
