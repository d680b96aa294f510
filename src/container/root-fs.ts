import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  lchown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Header } from 'tar-stream';
import { InlayError, isDiskFull } from '../error/index.ts';
import { decompressed, type OciLayout, type ResolvedImage, readTar } from '../image/index.ts';

/**
 * An image's layers unpacked into one folder, which a second run of the same image finds again. Layers are applied as
 * the OCI image specification says (layer.md: whiteouts, opaque folders), each checked against its diffID. No entry can
 * reach a place outside of the folder. Whoever uses it for longer than a moment holds it (`onRootFs`), or it may be pruned.
 * @param owners whether files get the owners that the layers name (needs root)
 * @returns the folder @throws IMAGE_INVALID
 */
export async function unpackRootFs(
  layout: OciLayout,
  image: ResolvedImage,
  stateDir: string,
  owners: boolean,
): Promise<string> {
  const dir = join(stateDir, 'rootfs', `${image.manifestDigest.replace(':', '-')}${owners ? '' : '-unowned'}`);
  if (existsSync(dir)) return dir;
  const work = `${dir}.${randomUUID()}`;
  await mkdir(work, { recursive: true });
  try {
    for (const [i, layer] of image.manifest.layers.entries()) {
      const tar = decompressed(layout.stream(layer), layer.mediaType);
      const found = await applyLayer(tar, layer.digest, work, owners);
      const expected = image.config.rootfs.diff_ids[i];
      if (found !== expected)
        throw new InlayError(
          'IMAGE_INVALID',
          `layer ${layer.digest} unpacks to ${found}, not to ${expected} as the image says`,
          { hint: 'Build or pull the image again.' },
        );
    }
    await rename(work, dir).catch((error) => {
      if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error; // another run was quicker
    });
    return dir;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Unpacks one layer and returns its diffID. */
async function applyLayer(
  tar: AsyncIterable<Uint8Array>,
  digest: string,
  root: string,
  owners: boolean,
): Promise<string> {
  const hash = createHash('sha256');
  const hashed = async function* () {
    for await (const chunk of tar) {
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    for await (const { header, content } of readTar(hashed())) await applyEntry(header, content, root, owners);
  } catch (error) {
    // A full disk is no fault of the layer's.
    if (isDiskFull(error) || error instanceof InlayError) throw error;
    throw new InlayError('IMAGE_INVALID', `layer ${digest} cannot be unpacked: ${(error as Error).message}`, {
      cause: error,
      hint: 'Build or pull the image again.',
    });
  }
  return `sha256:${hash.digest('hex')}`;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const DEVICES = ['character-device', 'block-device', 'fifo'];

async function applyEntry(
  header: Header,
  content: AsyncIterable<Uint8Array>,
  root: string,
  owners: boolean,
): Promise<void> {
  const parts = partsOf(header.name);
  const name = parts.at(-1);
  if (name === undefined) return;
  const folder = await realFolder(root, parts.slice(0, -1), header.name);
  if (name === OPAQUE) {
    for (const child of await readdir(folder)) await rm(join(folder, child), { recursive: true, force: true });
    return;
  }
  if (name.startsWith(WHITEOUT)) {
    await rm(join(folder, checkedName(name.slice(WHITEOUT.length), header.name)), { recursive: true, force: true });
    return;
  }
  // Devices are the runtime's to make; some bases have them in their layers.
  if (parts[0] === 'dev' && header.type !== undefined && DEVICES.includes(header.type)) return;
  const path = join(folder, name);
  const mode = (header.mode ?? 0o644) & 0o7777;
  const there = await lstat(path).catch(() => undefined);
  if (header.type === 'directory') {
    if (there && !there.isDirectory()) await rm(path);
    if (!there?.isDirectory()) await mkdir(path);
  } else {
    if (there) await rm(path, { recursive: true });
    if (header.type === 'symlink') await symlink(header.linkname ?? '', path);
    else if (header.type === 'link') {
      const target = partsOf(header.linkname ?? '');
      const existing = join(
        await realFolder(root, target.slice(0, -1), header.name),
        checkedName(target.at(-1) ?? '', header.name),
      );
      if (!(await lstat(existing)).isFile()) throw escapes(header.name);
      await link(existing, path);
      return;
    } else if (header.type === 'file') {
      const file = await open(path, 'wx', 0o600);
      try {
        for await (const chunk of content) await file.writeFile(chunk);
      } finally {
        await file.close();
      }
    } else {
      throw new InlayError(
        'IMAGE_INVALID',
        `a layer has a ${header.type} at ${header.name}, which inlay does not unpack`,
      );
    }
  }
  if (owners) await lchown(path, header.uid ?? 0, header.gid ?? 0);
  if (header.type === 'symlink') return;
  // A folder that its owner may not enter could not be filled or removed.
  await chmod(path, header.type === 'directory' && !owners ? mode | 0o700 : mode);
  if (header.type === 'file') await utimes(path, header.mtime ?? new Date(0), header.mtime ?? new Date(0));
}

/** The parts of a path in a layer. @throws IMAGE_INVALID when it leaves the root */
function partsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || path.includes('\0')) throw escapes(path);
  return parts;
}

function checkedName(name: string, path: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) throw escapes(path);
  return name;
}

/**
 * The folder of an entry, made where it is missing. A symbolic link on the way is followed only inside the root, as a
 * container would see it: a layer must not write through a link that an earlier entry planted.
 */
async function realFolder(root: string, parts: readonly string[], path: string): Promise<string> {
  const way = await resolveInside(root, parts, path);
  let at = root;
  for (const part of way) {
    at = join(at, part);
    const found = await lstat(at).catch(() => undefined);
    if (!found) await mkdir(at, { mode: 0o755 });
    else if (!found.isDirectory()) throw escapes(path);
  }
  return at;
}

/** Resolves symbolic links as if `root` were `/`; parts that do not exist stay as they are. */
export async function resolveInside(root: string, parts: readonly string[], path: string): Promise<string[]> {
  const done: string[] = [];
  const left = [...parts];
  for (let links = 0; left.length > 0; ) {
    const part = left.shift() as string;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const at = join(root, ...done, part);
    const found = await lstat(at).catch(() => undefined);
    if (!found?.isSymbolicLink()) {
      done.push(part);
      continue;
    }
    if (++links > 40) throw new InlayError('IMAGE_INVALID', `${path} goes through too many symbolic links`);
    const target = await readlink(at);
    if (target.startsWith('/')) done.length = 0;
    left.unshift(...target.split('/'));
  }
  return done;
}

function escapes(path: string): InlayError {
  return new InlayError(
    'IMAGE_INVALID',
    `a layer has an entry that leaves its root: ${JSON.stringify(path.slice(0, 200))}`,
    { hint: 'Do not run this image.' },
  );
}
