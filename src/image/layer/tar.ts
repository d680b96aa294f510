import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pack } from 'tar-stream';
import { InlayError } from '../../error/index.ts';

/** A file, folder or symbolic link in a layer. */
export interface TarEntry {
  /** Relative, without `./` before or `/` at either end. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  /** 0 when left out. */
  readonly uid?: number;
  readonly gid?: number;
  /** Where a symbolic link points. */
  readonly linkname?: string;
  /** A file's bytes, or the file on this machine that has them and its size in bytes. */
  readonly content?: Uint8Array | FileContent;
  /** Before all others, so that who wants only this one need not read on. */
  readonly first?: boolean;
}

export interface FileContent {
  readonly path: string;
  readonly size: number;
  /** Gets the file's own sha256 digest, hashed on its way into the tar; what it throws ends the tar. */
  readonly onDigest?: (digest: string) => void;
}

export interface TarOptions {
  /** Seconds since 1970. */
  readonly mtimeS: number;
  /**
   * Folders above this path are not added: they may lie in a layer below with an owner of their own, and whoever unpacks makes them where
   * they do not.
   */
  readonly inside?: string | undefined;
}

/**
 * The entries as a tar stream, the same bytes for the same entries: sorted by path, missing folders added, one time for
 * all, no owner names. Files are streamed from disk.
 * @throws IMAGE_INVALID when a path stands twice or leaves the root, or a file changes meanwhile
 */
export async function* tarStream(entries: readonly TarEntry[], options: TarOptions): AsyncGenerator<Uint8Array> {
  const all = sorted(withParents(entries, options.inside ?? ''));
  const tar = pack();
  const mtime = new Date(options.mtimeS * 1000);
  const feeding = feed(tar, all, mtime);
  // A failure ends the stream; what is thrown is the failure itself, below.
  tar.on('error', () => {});
  feeding.catch((error) => tar.destroy(error));
  try {
    for await (const chunk of tar) yield chunk as Uint8Array;
  } finally {
    tar.destroy();
  }
  await feeding;
}

async function feed(tar: ReturnType<typeof pack>, entries: readonly TarEntry[], mtime: Date): Promise<void> {
  for (const entry of entries) {
    const header = {
      name: entry.path,
      mode: entry.mode,
      uid: entry.uid ?? 0,
      gid: entry.gid ?? 0,
      uname: '',
      gname: '',
      mtime,
    };
    if (entry.type === 'directory') tar.entry({ ...header, name: `${entry.path}/`, type: 'directory' });
    else if (entry.type === 'symlink') tar.entry({ ...header, type: 'symlink', linkname: entry.linkname ?? '' });
    else await file(tar, header, entry.content ?? new Uint8Array());
  }
  tar.finalize();
}

async function file(
  tar: ReturnType<typeof pack>,
  header: { name: string },
  content: NonNullable<TarEntry['content']>,
): Promise<void> {
  const size = content instanceof Uint8Array ? content.byteLength : content.size;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sink = tar.entry({ ...header, type: 'file', size }, (error) => (error ? reject(error) : resolve()));
  if (content instanceof Uint8Array) {
    sink.end(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
    return promise;
  }
  // When the file is not what it was, this function throws; the entry that broke would say so once more.
  sink.on('error', () => {});
  promise.catch(() => {});
  let read = 0;
  const hash = content.onDigest ? createHash('sha256') : undefined;
  for await (const chunk of createReadStream(content.path, { highWaterMark: 1 << 20 })) {
    read += (chunk as Buffer).length;
    if (read > size) break;
    hash?.update(chunk as Buffer);
    if (!sink.write(chunk)) await new Promise<void>((resolve) => sink.once('drain', () => resolve()));
  }
  if (read !== size)
    throw new InlayError('IMAGE_INVALID', `${content.path} changed while it was packed: it had ${size} bytes`, {
      hint: 'Let nothing write to it during a build.',
    });
  if (hash) content.onDigest?.(`sha256:${hash.digest('hex')}`);
  sink.end(undefined);
  return promise;
}

/** Adds the folders above entries that nobody named. */
function withParents(entries: readonly TarEntry[], inside: string): TarEntry[] {
  const all = new Map<string, TarEntry>();
  for (const entry of entries) {
    if (all.has(entry.path)) throw new InlayError('IMAGE_INVALID', `${entry.path} stands twice in a layer`);
    if (entry.path === '' || entry.path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
      throw new InlayError('IMAGE_INVALID', `${JSON.stringify(entry.path)} is no path inside an image`);
    }
    all.set(entry.path, entry);
  }
  for (const { path } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0 && end >= inside.length; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end);
      if (!all.has(parent)) all.set(parent, { path: parent, type: 'directory', mode: 0o755 });
    }
  }
  return [...all.values()];
}

/** What comes first, then by the bytes of the path: the same order on every machine, folders before what is in them. */
function sorted(entries: readonly TarEntry[]): TarEntry[] {
  const firsts = entries.filter((entry) => entry.first);
  const rank = ({ path }: TarEntry) =>
    firsts.some((first) => first.path === path || first.path.startsWith(`${path}/`)) ? 0 : 1;
  return entries.toSorted((a, b) => rank(a) - rank(b) || Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
