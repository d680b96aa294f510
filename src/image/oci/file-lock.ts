import { dlopen, type Pointer, read } from 'bun:ffi';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { InlayError } from '../../error/index.ts';

// sys/file.h, the same on Linux and macOS.
const LOCK = { shared: 1, exclusive: 2 } as const;
const LOCK_NB = 4;
const isMac = process.platform === 'darwin';
const EINTR = 4;
const EWOULDBLOCK = isMac ? 35 : 11;
const BUSY: readonly number[] = [EWOULDBLOCK, EINTR];

const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 20;
const DEFAULT_PATIENCE_MS = 60_000;

/** Held by many at once, or by one alone. */
export type LockMode = keyof typeof LOCK;

/**
 * Does `work` while nobody else, in this process or another one, does the same for this file: flock(2), which the kernel lets go of when its
 * holder dies. Node and Bun have no call for it. On a file system without such locks the work is done unlocked.
 * @param path a file or a folder that is there and stays
 * @throws STORE_BUSY when somebody holds it for longer than `patienceMs`; what `work` throws
 */
export async function whileLocked<T>(
  path: string,
  work: () => Promise<T>,
  patienceMs: number = DEFAULT_PATIENCE_MS,
): Promise<T> {
  // Over NFS only what may be written can be locked, and so no folder. Of a folder that a group shares the file is somebody else's.
  const file = await open(path, 'r+').catch((error) => {
    if (error.code !== 'EISDIR' && error.code !== 'EACCES') throw error;
    return open(path, 'r');
  });
  try {
    await takeLock(file, path, 'exclusive', patienceMs);
    return await work();
  } finally {
    await file.close();
  }
}

/** Takes the lock of an open file, which has it until it is closed. @returns false where somebody has it, undefined where there are no such locks */
export function tryLock(file: FileHandle, mode: LockMode = 'exclusive'): boolean | undefined {
  const error = flock(file.fd, mode);
  return error === 0 ? true : BUSY.includes(error) ? false : undefined;
}

/** True while a path leads to an open file: whoever held its lock before may have renamed or removed it. */
export async function isStill(path: string, file: FileHandle): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && there.ino === (await file.stat()).ino;
}

/** The same as `tryLock`, but waits; without such locks it returns at once. @throws STORE_BUSY */
export async function takeLock(
  file: FileHandle,
  path: string,
  mode: LockMode,
  patienceMs: number = DEFAULT_PATIENCE_MS,
): Promise<void> {
  const until = performance.now() + patienceMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    if (tryLock(file, mode) !== false) return;
    if (performance.now() > until)
      throw new InlayError('STORE_BUSY', `${path} is locked by another process for more than ${patienceMs / 1000} s`, {
        hint: `Another inlay works with the same files. See who has it open (fuser -v ${path}): one that was stopped holds it until it goes on or ends.`,
      });
    await sleep(waitMs);
  }
}

/** @returns 0, or errno */
function flock(fd: number, mode: LockMode): number {
  const { flock, errnoLocation } = libc();
  if (flock(fd, LOCK[mode] | LOCK_NB) === 0) return 0;
  return read.i32(errnoLocation() as Pointer);
}

const libc = (() => {
  let opened: ReturnType<typeof openLibc> | undefined;
  return () => {
    opened ??= openLibc();
    return opened;
  };
})();

function openLibc() {
  const flock = { args: ['i32', 'i32'], returns: 'i32' } as const;
  const errno = { args: [], returns: 'ptr' } as const;
  if (isMac) {
    const { symbols } = dlopen('libSystem.B.dylib', { flock, __error: errno });
    return { flock: symbols.flock, errnoLocation: symbols.__error };
  }
  const { symbols } = dlopen('libc.so.6', { flock, __errno_location: errno });
  return { flock: symbols.flock, errnoLocation: symbols.__errno_location };
}
