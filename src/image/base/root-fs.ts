import { InlayError } from '../../error/index.ts';
import type { TarEntry } from '../layer/tar.ts';
import { parseStanzas } from './apt.ts';
import type { Deb } from './deb.ts';

const text = (value: string) => new TextEncoder().encode(value);

/** Folders that Debian merged into /usr; a package may still name the old place. */
const MERGED = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** Documentation that nobody reads in an image. Copyright files stay: the licences ask for it. */
const LEFT_OUT =
  /^usr\/share\/(man|info|lintian|locale|bash-completion|bug|menu|doc-base)(\/|$)|^usr\/share\/doc\/[^/]+\/(?!copyright$)/;

/** User and group that the server runs as. */
export const NONROOT = 65532;

/**
 * A root file system from packages, as files of a layer: merged /usr, what maintainer scripts would have made, and a dpkg
 * status in which scanners find the packages. Nothing is run.
 * @throws IMAGE_INVALID when two packages have one path
 */
export function rootFsOf(debs: readonly Deb[]): TarEntry[] {
  const files = new Map<string, TarEntry>();
  const add = (entry: TarEntry) => {
    const other = files.get(entry.path);
    if (other && !(other.type === 'directory' && entry.type === 'directory'))
      throw new InlayError('IMAGE_INVALID', `two packages of the base have ${entry.path}`);
    files.set(entry.path, entry);
  };
  const database: TarEntry[] = [];
  for (const deb of debs) {
    const kept = deb.entries.filter((entry) => !LEFT_OUT.test(entry.path) && !MERGED.includes(entry.path)).map(merged);
    for (const entry of kept) add(entry);
    const name = packageName(deb);
    const list = ['/.', ...kept.map((entry) => `/${entry.path}`)].join('\n');
    database.push(file(`var/lib/dpkg/info/${name}.list`, `${list}\n`));
    if (deb.md5sums !== undefined)
      database.push(file(`var/lib/dpkg/info/${name}.md5sums`, md5sumsOf(deb.md5sums, kept)));
  }
  for (const entry of [...database, ...generated([...files.values()], debs)]) add(entry);
  for (const folder of MERGED) {
    if ([...files.keys()].some((path) => path.startsWith(`usr/${folder}/`)))
      add({ path: folder, type: 'symlink', mode: 0o777, linkname: `usr/${folder}` });
  }
  return [...files.values()];
}

/** /var/lib/dpkg/status of packages that are unpacked and, as far as they need it, set up. */
export function dpkgStatus(debs: readonly Deb[]): string {
  return debs
    .map((deb) => ({
      name: packageName(deb),
      stanza: deb.control.replace(/^(Package: .*)$/m, '$1\nStatus: install ok installed'),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ stanza }) => `${stanza}\n`)
    .join('\n');
}

function packageName(deb: Deb): string {
  return parseStanzas(deb.control)[0]?.Package ?? '';
}

function merged(entry: TarEntry): TarEntry {
  const top = entry.path.split('/')[0] as string;
  return MERGED.includes(top) ? { ...entry, path: `usr/${entry.path}` } : entry;
}

function md5sumsOf(md5sums: string, kept: readonly TarEntry[]): string {
  const paths = new Set(kept.map((entry) => entry.path));
  const lines = md5sums.split('\n').filter((line) => {
    const path = line.slice(34);
    return paths.has(path) || paths.has(`usr/${path}`);
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** What the packages' scripts would have made, without running them, and always the same. */
function generated(files: readonly TarEntry[], debs: readonly Deb[]): TarEntry[] {
  const folder = (path: string, mode: number, owner = 0): TarEntry => ({
    path,
    type: 'directory',
    mode,
    uid: owner,
    gid: owner,
  });
  return [
    file('var/lib/dpkg/status', dpkgStatus(debs)),
    file('etc/ssl/certs/ca-certificates.crt', caBundle(files)),
    file(
      'etc/passwd',
      `root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nnonroot:x:${NONROOT}:${NONROOT}:nonroot:/home/nonroot:/usr/sbin/nologin\n`,
    ),
    file('etc/group', `root:x:0:\nnogroup:x:65534:\nnonroot:x:${NONROOT}:\n`),
    file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
    file('etc/timezone', 'Etc/UTC\n'),
    { path: 'etc/localtime', type: 'symlink', mode: 0o777, linkname: '/usr/share/zoneinfo/Etc/UTC' },
    folder('tmp', 0o1777),
    folder('home/nonroot', 0o700, NONROOT),
  ];
}

/** All certificates of ca-certificates in one file, as update-ca-certificates writes it. */
function caBundle(files: readonly TarEntry[]): string {
  const certificates = files.filter(
    (entry) => /^usr\/share\/ca-certificates\/.*\.crt$/.test(entry.path) && entry.content instanceof Uint8Array,
  );
  return certificates
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map((entry) => `${new TextDecoder().decode(entry.content as Uint8Array).trimEnd()}\n`)
    .join('');
}

function file(path: string, content: string): TarEntry {
  return { path, type: 'file', mode: 0o644, content: text(content) };
}
