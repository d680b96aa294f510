import { type FileHandle, open } from 'node:fs/promises';
import { isStill, takeLock } from '../image/index.ts';
import { unpackRootFs } from './root-fs.ts';
import type { Start, Started } from './running.ts';

/**
 * Starts an image on its root file system, which is held until the program has ended: `inlay prune` takes those that nobody holds and whose
 * folder was not used (mtime) for long.
 * @param owners as `unpackRootFs` has it
 * @param begin gets the folder, and the descriptor that holds it: a child that has it holds the folder even when this process is killed
 * @throws IMAGE_INVALID, STORE_BUSY; what `begin` throws
 */
export async function onRootFs(
  start: Pick<Start, 'layout' | 'image' | 'stateDir'>,
  owners: boolean,
  begin: (rootfs: string, held: number) => Promise<Started>,
): Promise<Started> {
  const { path, file } = await holdRootFs(start, owners);
  try {
    const started = await begin(path, file.fd);
    const clean = async () => {
      try {
        await started.clean();
      } finally {
        await touch(file);
        await file.close();
      }
    };
    return { ...started, clean };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Unpacks it again where it was pruned before it was held. */
async function holdRootFs(
  { layout, image, stateDir }: Pick<Start, 'layout' | 'image' | 'stateDir'>,
  owners: boolean,
): Promise<{ path: string; file: FileHandle }> {
  for (;;) {
    const path = await unpackRootFs(layout, image, stateDir, owners);
    const file = await open(path, 'r').catch((error) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (!file) continue;
    try {
      await takeLock(file, path, 'shared');
      await touch(file);
      if (await isStill(path, file)) return { path, file };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

/** Somebody else's can be used, and not be touched. */
async function touch(file: FileHandle): Promise<void> {
  const now = new Date();
  await file.utimes(now, now).catch(() => {});
}
