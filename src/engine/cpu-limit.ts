import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Reads a file's text, or undefined where there is none. */
export type ReadText = (path: string) => string | undefined;

/**
 * How many CPUs this process may use: the cgroup's quota (v2 `cpu.max`, v1 `cpu.cfs_quota_us`), in CPUs, at most what
 * the machine has. ONNX Runtime and the operating system's own count see the whole machine and would be throttled.
 */
export function cpuLimit(readText: ReadText = readTextFile, cpus: number = availableParallelism()): number {
  const quotas = cgroupPaths(readText).flatMap((path) => quotaOf(path, readText) ?? []);
  return Math.min(cpus, ...quotas);
}

/** Threads for one inference: whole CPUs of the limit, at least one. */
export function threadsFor(cpus: number): number {
  return Math.max(1, Math.floor(cpus));
}

function quotaOf(dir: { readonly path: string; readonly version: 1 | 2 }, readText: ReadText): number | undefined {
  const [quota, period] =
    dir.version === 2
      ? (readText(`${dir.path}/cpu.max`) ?? '').trim().split(/\s+/)
      : [readText(`${dir.path}/cpu.cfs_quota_us`)?.trim(), readText(`${dir.path}/cpu.cfs_period_us`)?.trim()];
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? cpus : undefined;
}

/**
 * The folders whose quota binds: this process's own cgroup and those above it. Inside a container the mount is often
 * rooted at the container's cgroup while /proc/self/cgroup names the path outside, so the mount's root counts too.
 */
function cgroupPaths(readText: ReadText): { path: string; version: 1 | 2 }[] {
  const lines = (readText('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const own = lines.find(([, controllers]) => controllers?.split(',').includes('cpu'))?.[2] ?? '/';
  const unified = lines.find(([id, controllers]) => id === '0' && controllers === '')?.[2] ?? '/';
  return [
    ...ancestors(own).flatMap((path) => [
      { path: `/sys/fs/cgroup/cpu${path}`, version: 1 as const },
      { path: `/sys/fs/cgroup/cpu,cpuacct${path}`, version: 1 as const },
    ]),
    ...ancestors(unified).map((path) => ({ path: `/sys/fs/cgroup${path}`, version: 2 as const })),
  ];
}

/** `/a/b` → `/a/b`, `/a`, and the root as the empty path. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return [...parts.map((_, i) => `/${parts.slice(0, parts.length - i).join('/')}`), ''];
}

function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
