import type { Limits } from './running.ts';

export interface RuncSpecInput {
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly capabilities: readonly string[];
  readonly limits: Limits;
  readonly cgroupsPath: string;
}

/**
 * The OCI runtime configuration of a served image: read-only root, no capability but those that are given, no new privileges, its own process,
 * mount, IPC and UTS namespaces; the network is the machine's, as there is no CNI here.
 * Seccomp is left to engines that bring a profile.
 */
export function runcSpec(input: RuncSpecInput): Record<string, unknown> {
  const { limits } = input;
  const period = 100_000;
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: input.uid, gid: input.gid },
      args: [...input.args],
      env: Object.entries(input.env).map(([name, value]) => `${name}=${value}`),
      cwd: input.cwd,
      capabilities: {
        bounding: [...input.capabilities],
        effective: [...input.capabilities],
        permitted: [...input.capabilities],
      },
      noNewPrivileges: true,
    },
    root: { path: input.rootfs, readonly: true },
    hostname: 'inlay',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=64m'],
      },
      { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] },
      // The server reads its CPU limit here.
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
      },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777', 'size=64m'] },
    ],
    linux: {
      cgroupsPath: input.cgroupsPath,
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        ...(limits.memoryBytes === undefined ? {} : { memory: { limit: limits.memoryBytes } }),
        ...(limits.cpus === undefined ? {} : { cpu: { quota: Math.round(limits.cpus * period), period } }),
      },
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
      maskedPaths: [
        '/proc/acpi',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/sys/firmware',
      ],
      readonlyPaths: ['/proc/asound', '/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}
