import { readdirSync, readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK): the same on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

/** What Prometheus' own client libraries say of a process, under their names; nothing where there is no /proc. */
export function processMetrics(): string {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // proc(5): fields from the third on stand behind the name, which may hold spaces.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (field: number) => fields[field - 3] ?? Number.NaN;
    const booted = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
    const files = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
    const metrics: [string, string, string, number][] = [
      [
        ...(['process_cpu_seconds_total', 'counter', 'CPU time, user and system.'] as const),
        (at(14) + at(15)) / TICKS_PER_SECOND,
      ],
      ['process_resident_memory_bytes', 'gauge', 'Resident memory.', resident],
      ['process_virtual_memory_bytes', 'gauge', 'Virtual memory.', at(23)],
      ['process_start_time_seconds', 'gauge', 'When it was started.', booted + at(22) / TICKS_PER_SECOND],
      ['process_open_fds', 'gauge', 'Open files and connections.', readdirSync('/proc/self/fd').length],
      ['process_max_fds', 'gauge', 'How many may be open.', files === 'unlimited' ? Number.NaN : Number(files)],
    ];
    return metrics
      .filter(([, , , value]) => !Number.isNaN(value))
      .map(([name, type, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`)
      .join('');
  } catch {
    return '';
  }
}
