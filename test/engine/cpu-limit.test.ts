import { expect, test } from 'bun:test';
import { cpuLimit, threadsFor } from '../../src/engine/index.ts';

const files = (all: Readonly<Record<string, string>>) => (path: string) => all[path];

test.each([
  ['v2, half a CPU', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' }, 0.5],
  ['v2, no limit', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 8],
  [
    'v2, the parent binds',
    {
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/b/cpu.max': 'max 100000',
      '/sys/fs/cgroup/a/cpu.max': '150000 100000',
    },
    1.5,
  ],
  [
    'v1, own group',
    {
      '/proc/self/cgroup': '3:cpu,cpuacct:/pod\n0::/\n',
      '/sys/fs/cgroup/cpu,cpuacct/pod/cpu.cfs_quota_us': '200000',
      '/sys/fs/cgroup/cpu,cpuacct/pod/cpu.cfs_period_us': '100000',
    },
    2,
  ],
  [
    'v1, mount rooted at the container',
    {
      '/proc/self/cgroup': '1:cpu:/kubepods/x\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    },
    0.5,
  ],
  [
    'v1, no limit',
    {
      '/proc/self/cgroup': '1:cpu:/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    },
    8,
  ],
  ['more than the machine has', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '6400000 100000' }, 8],
  ['nothing to read', {}, 8],
])('%s', (_, found, expected) => {
  expect(cpuLimit(files(found as Record<string, string>), 8)).toBe(expected);
});

test('threads are whole CPUs, at least one', () => {
  expect([0.25, 0.5, 1, 1.5, 2, 7.9].map(threadsFor)).toEqual([1, 1, 1, 1, 2, 7]);
});
