import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInlayError } from '../../src/error/index.ts';
import { PrivateApt, parseStanzas, requireRoom } from '../../src/image/base/apt.ts';
import type { Deb } from '../../src/image/base/deb.ts';
import { pinBaseImage, pinPackages, pinServerImage, readLock, withPins, writeLock } from '../../src/image/base/lock.ts';
import { dpkgStatus, rootFsOf } from '../../src/image/base/root-fs.ts';
import type { TarEntry } from '../../src/image/layer/tar.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-base-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => (isInlayError(error) ? `${error.code}: ${error.message}` : String(error)),
  );
const pin = (name: string, sha = 'a') => ({ name, version: '1', architecture: 'amd64', sha256: sha.repeat(64) });

test('a lock is read back as it was written, and one platform is pinned without touching another', async () => {
  const path = join(dir, 'inlay.lock');
  const first = withPins(undefined, 'linux/arm64', [pin('z'), pin('a')]);
  const lock = withPins(first, 'linux/amd64', [pin('b', 'c')]);
  await writeLock(path, lock);
  expect(await readLock(path)).toEqual(lock);
  expect(Object.keys(lock.base?.platforms ?? {})).toEqual(['linux/amd64', 'linux/arm64']);
  expect(lock.base?.platforms['linux/arm64']?.map((p) => p.name)).toEqual(['a', 'z']);
  expect(await readLock(join(dir, 'none'))).toBeUndefined();
});

test.each([
  ['no YAML', 'base: [', 'inlay.lock:1'],
  ['another schema', 'schemaVersion: 2\nbase: {kind: apt, platforms: {}}\n', 'inlay.lock:1: schemaVersion'],
  [
    'a digest that is none',
    'schemaVersion: 1\nbase:\n  kind: apt\n  platforms:\n    linux/amd64:\n      - {name: a, version: "1", architecture: amd64, sha256: abc}\n',
    'inlay.lock:6: base.platforms',
  ],
  ['a merge conflict', '<<<<<<< HEAD\nschemaVersion: 1\n', 'inlay.lock:1'],
])('a lock with %s is refused with its line', async (_, text, expected) => {
  const path = join(dir, 'inlay.lock');
  writeFileSync(path, text);
  const told = await code(readLock(path));
  expect(told).toStartWith('LOCK_INVALID: ');
  expect(told).toContain(expected);
});

test('builds that pin at once lose no pin of each other, and leave nothing beside the lock', async () => {
  const project = mkdtempSync(join(dir, 'project-'));
  const path = join(project, 'inlay.lock');
  const digest = `sha256:${'a'.repeat(64)}`;
  const names = Array.from({ length: 8 }, (_, i) => `registry.example.com/base:${i}`);
  await Promise.all([
    ...names.map((name) => pinBaseImage(path, name, digest)),
    pinServerImage(path, 'registry.example.com/server:1', digest),
    ...['linux/amd64', 'linux/arm64'].map((platform) => pinPackages(path, platform, [pin('libc6')])),
  ]);
  const lock = await readLock(path);
  expect(Object.keys(lock?.baseImages ?? {})).toEqual(names);
  expect(Object.keys(lock?.base?.platforms ?? {})).toEqual(['linux/amd64', 'linux/arm64']);
  expect(lock?.serverImage?.digest).toBe(digest);
  expect(readdirSync(project)).toEqual(['inlay.lock']);
});

test('a machine without apt is told so', async () => {
  expect(await code(PrivateApt.open(dir, 'amd64', { PATH: dir }))).toStartWith(
    'BASE_UNAVAILABLE: the base is composed from Debian packages, and this machine has no apt-get',
  );
});

test.skipIf(Bun.which('apt-get') === null)('builds that ask apt at once take nothing from each other', async () => {
  const repository = mkdtempSync(join(dir, 'repository-'));
  const stanza = (i: number) =>
    `Package: p${i}\nVersion: 1.${i}\nArchitecture: amd64\nMaintainer: a <a@example.com>\nFilename: ./p${i}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\nDescription: p\n\n`;
  writeFileSync(join(repository, 'Packages'), Array.from({ length: 3000 }, (_, i) => stanza(i)).join(''));
  writeFileSync(join(repository, 'sources.list'), `deb [trusted=yes] copy:${repository} ./\n`);
  writeFileSync(
    join(repository, 'apt.conf'),
    `Dir::Etc::sourcelist "${repository}/sources.list";\nDir::Etc::sourceparts "${repository}/none";\n`,
  );
  const env = { ...process.env, APT_CONFIG: join(repository, 'apt.conf') };
  const ask = async () => (await PrivateApt.open(join(repository, 'apt'), 'amd64', env)).candidates(['p7', 'p2999']);
  const versions = (await Promise.all(Array.from({ length: 4 }, ask))).map((pins) =>
    pins.map(({ version }) => version).sort(),
  );
  expect(versions).toEqual(Array.from({ length: 4 }, () => ['1.2999', '1.7']));
});

test('apt is not started where its lists have no room: it would wait for ever', () => {
  const told = (blocks: number, bavail: number) => {
    try {
      requireRoom({ blocks, bavail, bsize: 4096 }, '/home');
      return 'room';
    } catch (error) {
      return isInlayError(error) ? error.code : error;
    }
  };
  expect([told(1e6, 5e5), told(1e6, 7000), told(1e6, 0), told(0, 0)]).toEqual([
    'room',
    'DISK_FULL',
    'DISK_FULL',
    'room',
  ]);
});

test('stanzas keep their continuation lines', () => {
  expect(parseStanzas('Package: a\nDescription: one\n two\n .\n three\nVersion: 1:2-3\n\nPackage: b\n')).toEqual([
    { Package: 'a', Description: 'one\n two\n .\n three', Version: '1:2-3' },
    { Package: 'b' },
  ]);
});

const entry = (path: string, content = ''): TarEntry => ({
  path,
  type: 'file',
  mode: 0o644,
  content: new TextEncoder().encode(content),
});
const deb = (name: string, ...entries: TarEntry[]): Deb => ({
  control: `Package: ${name}\nVersion: 1\nArchitecture: amd64`,
  md5sums: `d41d8cd98f00b204e9800998ecf8427e  lib/x/${name}.so\nd41d8cd98f00b204e9800998ecf8427e  usr/share/man/m\n`,
  entries,
});
const textOf = (files: readonly TarEntry[], path: string) =>
  new TextDecoder().decode(files.find((f) => f.path === path)?.content as Uint8Array);

test('the dpkg status names each package as installed', () => {
  expect(dpkgStatus([deb('b'), deb('a')])).toBe(
    'Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\nPackage: b\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n',
  );
});

test('a root file system: merged /usr, no manuals, licences kept, what scripts would have made', () => {
  const files = rootFsOf([
    deb(
      'a',
      entry('lib/x/a.so'),
      entry('usr/share/man/m'),
      entry('usr/share/doc/a/copyright', 'c'),
      entry('usr/share/doc/a/changelog.gz'),
    ),
    deb(
      'ca',
      entry('usr/share/ca-certificates/mozilla/B.crt', 'BBB\n'),
      entry('usr/share/ca-certificates/mozilla/A.crt', 'AAA'),
    ),
  ]);
  const paths = files.map((f) => f.path);
  expect(paths).toContain('usr/lib/x/a.so');
  expect(paths).toContain('usr/share/doc/a/copyright');
  expect(paths).not.toContain('usr/share/man/m');
  expect(paths).not.toContain('usr/share/doc/a/changelog.gz');
  expect(files.find((f) => f.path === 'lib')).toMatchObject({ type: 'symlink', linkname: 'usr/lib' });
  expect(textOf(files, 'etc/ssl/certs/ca-certificates.crt')).toBe('AAA\nBBB\n');
  expect(textOf(files, 'etc/passwd')).toContain('nonroot:x:65532:65532:');
  expect(textOf(files, 'var/lib/dpkg/info/a.list')).toBe('/.\n/usr/lib/x/a.so\n/usr/share/doc/a/copyright\n');
  expect(textOf(files, 'var/lib/dpkg/info/a.md5sums')).toBe('d41d8cd98f00b204e9800998ecf8427e  lib/x/a.so\n');
  expect(files.find((f) => f.path === 'tmp')).toMatchObject({ mode: 0o1777 });
});

test('two packages with one file are refused', () => {
  let told = '';
  try {
    rootFsOf([deb('a', entry('usr/x')), deb('b', entry('usr/x'))]);
  } catch (error) {
    told = isInlayError(error) ? error.code : String(error);
  }
  expect(told).toBe('IMAGE_INVALID');
});
