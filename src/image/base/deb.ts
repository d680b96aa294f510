import { extract, type Header } from 'tar-stream';
import { InlayError } from '../../error/index.ts';
import { type Env, lastLines, runCommand } from '../command.ts';
import type { TarEntry } from '../layer/tar.ts';

/** A Debian package's files, before they are put into a root file system, and its control stanza. */
export interface Deb {
  readonly control: string;
  /** The package's `md5sums`, if it has them. */
  readonly md5sums: string | undefined;
  readonly entries: readonly TarEntry[];
}

/** Reads a .deb with dpkg-deb. @throws COMMAND_FAILED, IMAGE_INVALID */
export async function readDeb(path: string, env: Env): Promise<Deb> {
  const control = await runCommand(['dpkg-deb', '--field', path], { env });
  if (control.exitCode !== 0) throw unreadable(path, control.stderr);
  const md5sums = await runCommand(['dpkg-deb', '--info', path, 'md5sums'], { env });
  return {
    control: control.stdout.trimEnd(),
    md5sums: md5sums.exitCode === 0 ? md5sums.stdout : undefined,
    entries: await filesOf(path, env),
  };
}

async function filesOf(path: string, env: Env): Promise<TarEntry[]> {
  const child = Bun.spawn(['dpkg-deb', '--fsys-tarfile', path], {
    env: { ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const stderr = new Response(child.stderr).text();
  const entries: TarEntry[] = [];
  const unpack = extract();
  const done = new Promise<void>((resolve, reject) => {
    unpack.on('entry', (header, stream, next) => {
      const chunks: Uint8Array[] = [];
      stream.on('data', (chunk: unknown) => void chunks.push(chunk as Uint8Array));
      stream.on('end', () => {
        const entry = toEntry(header, Buffer.concat(chunks), entries);
        if (entry) entries.push(entry);
        next();
      });
      stream.on('error', reject);
    });
    unpack.on('finish', resolve);
    unpack.on('error', reject);
  });
  for await (const chunk of child.stdout) unpack.write(Buffer.from(chunk));
  unpack.end(undefined);
  await done;
  if ((await child.exited) !== 0) throw unreadable(path, await stderr);
  return entries;
}

function toEntry(header: Header, content: Uint8Array, before: readonly TarEntry[]): TarEntry | undefined {
  const path = header.name.replace(/^\.?\//, '').replace(/\/$/, '');
  if (path === '' || path === '.') return undefined;
  const common = { path, mode: (header.mode ?? 0o644) & 0o7777, uid: header.uid ?? 0, gid: header.gid ?? 0 };
  switch (header.type) {
    case 'directory':
      return { ...common, type: 'directory' };
    case 'symlink':
      return { ...common, type: 'symlink', mode: 0o777, linkname: header.linkname ?? '' };
    case 'file':
      return { ...common, type: 'file', content };
    case 'link': {
      // A hard link is a second name of a file: in a layer of few files, a copy says the same and needs no order.
      const target = (header.linkname ?? '').replace(/^\.?\//, '');
      const original = before.find((entry) => entry.path === target);
      if (original?.content) return { ...common, type: 'file', content: original.content };
      break;
    }
  }
  throw new InlayError('IMAGE_INVALID', `a package has a ${header.type} at ${path}, which a base image cannot`);
}

function unreadable(path: string, stderr: string): InlayError {
  return new InlayError('COMMAND_FAILED', `dpkg-deb cannot read ${path}: ${lastLines(stderr)}`, {
    hint: 'Delete the file: it is fetched again.',
  });
}
