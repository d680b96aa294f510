import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Less than this is fetched again sooner than it is taken up. */
const KEPT_BYTES = 2 ** 20;

/** The process of a file that nobody writes to any more. */
const NOBODY = 0;

/**
 * Where the bytes of a blob go until it is whole. What an earlier process left of it, when it was ended or gave up, is taken over: the
 * name says whose it is.
 * @param dir on the disk of the blob's own place
 */
export async function claimPartial(dir: string, digest: string): Promise<string> {
  const mine = nameOf(dir, digest, process.pid);
  for (const name of await readdir(dir)) {
    const owner = ownerOf(name, digest);
    if (owner === undefined || isAlive(owner)) continue;
    // Another process may be quicker.
    const taken = await rename(join(dir, name), mine).then(
      () => true,
      () => false,
    );
    if (taken) break;
  }
  return mine;
}

/** Leaves what there is of a blob for whoever asks for it next. */
export async function leavePartial(dir: string, digest: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && found.size >= KEPT_BYTES) await rename(path, nameOf(dir, digest, NOBODY));
  else await rm(path, { force: true });
}

function nameOf(dir: string, digest: string, owner: number): string {
  return join(dir, `.partial-${digest.replace(':', '-')}-${owner}-${randomUUID().slice(0, 8)}`);
}

function ownerOf(name: string, digest: string): number | undefined {
  const start = `.partial-${digest.replace(':', '-')}-`;
  const owner = name.startsWith(start) ? /^(\d+)-/.exec(name.slice(start.length))?.[1] : undefined;
  return owner === undefined ? undefined : Number(owner);
}

function isAlive(pid: number): boolean {
  if (pid === NOBODY) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
