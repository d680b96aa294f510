import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { isInlayError } from '../../src/error/index.ts';
import { chooseBase, DEFAULT_BASE } from '../../src/image/base/choice.ts';
import { elfVersions } from '../../src/image/base/elf-versions.ts';
import { whyUnfit } from '../../src/image/base/fits-runtime.ts';
import { baseFromImage } from '../../src/image/base/from-image.ts';
import { parseRpmHeader, readRpmDatabase } from '../../src/image/base/rpm-database.ts';
import { imageBase } from '../../src/image/base-layers.ts';
import { MEDIA_TYPE, OciLayout } from '../../src/image/index.ts';
import { putImage } from '../../src/image/put-image.ts';
import { needsOf } from '../../src/image/runtime/needs.ts';
import { packagePurl } from '../../src/supply/purl.ts';
import { type BaseParts, debianFiles, type Entry, putBase, versions } from './base-image.ts';
import { elf } from './elf-builder.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };

let dir: string;
let layout: OciLayout;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-image-base-'));
  layout = await OciLayout.open(join(dir, 'oci'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function read(layers: readonly (readonly Entry[])[], parts: BaseParts = {}, platform = AMD64) {
  const { digest } = await putBase(layout, layers, parts);
  return baseFromImage(layout, platform, { reference: 'r.example.com/b:1', digest }, join(dir, 'cache'));
}

/** What the runtime of the image asks for: the very files that inlay itself runs on. */
async function needs() {
  const file = (path: string) => ({
    path: path.slice(path.lastIndexOf('/') + 1),
    type: 'file' as const,
    mode: 0o644,
    content: { path, size: statSync(path).size },
  });
  const onnxruntime = join(import.meta.dir, '../../node_modules/onnxruntime-node/bin/napi-v6/linux/x64');
  return needsOf([process.execPath, ...readdirSync(onnxruntime).map((name) => join(onnxruntime, name))].map(file));
}

test('OS, packages and libraries are read from the layers of a base', async () => {
  const { facts } = await read([debianFiles()]);
  expect(facts.os).toEqual({ id: 'debian', versionId: '12', prettyName: 'debian 12' });
  expect(facts.packages).toEqual([{ type: 'deb', name: 'libc6', version: '2.36-9+deb12u13', architecture: 'amd64' }]);
  expect(facts.libraries['libc.so.6']).toContain('GLIBC_2.36');
  expect(facts.libraries['libstdc++.so.6']).toContain('GLIBCXX_3.4.30');
  expect(whyUnfit(facts, await needs())).toBeUndefined();
});

test('distroless lists its packages in files of their own', async () => {
  const stanza = (name: string) => `Package: ${name}\nArchitecture: amd64\nVersion: 1.2\nMaintainer: x\n`;
  const { facts } = await read([
    [
      { name: 'var/lib/dpkg/status.d/libc6', content: stanza('libc6') },
      { name: 'var/lib/dpkg/status.d/libc6.md5sums', content: 'd41d8cd98f00b204e9800998ecf8427e  etc/x\n' },
      { name: 'var/lib/dpkg/status.d/tzdata', content: stanza('tzdata') },
    ],
  ]);
  expect(facts.packages.map(({ name }) => name)).toEqual(['libc6', 'tzdata']);
});

test('Python packages are read from their dist-info; those of a .deb are known by it', async () => {
  const info = (name: string, version: string) =>
    `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n\nName: not this\n`;
  const site = 'usr/local/lib/python3.11/site-packages';
  const { facts } = await read([
    [
      { name: `${site}/fastapi-0.115.0.dist-info/METADATA`, content: info('fastapi', '0.115.0') },
      { name: `${site}/old.egg-info/PKG-INFO`, content: info('old', '1') },
      { name: 'usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA', content: info('six', '1.16.0') },
      { name: `${site}/broken.dist-info/METADATA`, content: '' },
    ],
    [{ name: `${site}/.wh.old.egg-info` }],
  ]);
  expect(facts.packages).toEqual([{ type: 'pypi', name: 'fastapi', version: '0.115.0' }]);
});

test('RPM’s packages are read from its database, as rpm itself wrote it', async () => {
  const database = gunzipSync(readFileSync(join(import.meta.dir, '../data/rpm/rpmdb.sqlite.gz')));
  for (const folder of ['var/lib/rpm', 'usr/lib/sysimage/rpm']) {
    const { facts } = await read([[{ name: `${folder}/rpmdb.sqlite`, content: database }]]);
    expect(facts.packages).toEqual([{ type: 'rpm', name: 'tiny', version: '2:1.2-3', architecture: 'noarch' }]);
  }
  const fedora = { id: 'fedora', versionId: '40' };
  expect(packagePurl({ type: 'rpm', name: 'tiny', version: '2:1.2-3', architecture: 'noarch' }, fedora)).toBe(
    'pkg:rpm/fedora/tiny@1.2-3?arch=noarch&distro=fedora-40&epoch=2',
  );
  // Damaged, it has no packages.
  expect(await readRpmDatabase(new Uint8Array(20))).toEqual([]);
  for (let i = 0; i < 60; i++) {
    const bent = Buffer.from(database);
    for (let n = 0; n < 20; n++) bent[(i * 7919 + n * 104729) % bent.length] = (i * 31 + n * 17) & 255;
    await readRpmDatabase(bent.subarray(0, i % 3 === 0 ? (i * 1013) % bent.length : bent.length));
  }
});

test('an RPM header that is cut or bent is none', () => {
  const header = Buffer.from(crypto.getRandomValues(new Uint8Array(400)));
  for (let i = 0; i < 2000; i++) {
    header.writeUInt32BE(i % 30, 0);
    header.writeUInt32BE(1000 + (i % 23), 8);
    header[(i * 7919) % 400] = i & 255;
    parseRpmHeader(header.subarray(0, i % 400));
  }
  expect(parseRpmHeader(Buffer.alloc(0))).toBeUndefined();
});

test('layers lie one on the other: later files, whiteouts, opaque folders, hard links', async () => {
  const release = (id: string) => `ID=${id}\nVERSION_ID=1\n`;
  const os = async (...layers: Entry[][]) => (await read(layers)).facts.os.id;
  const lower: Entry[] = [{ name: 'etc/os-release', content: release('lower') }];
  expect(await os(lower, [{ name: './etc/os-release', content: release('upper') }])).toBe('upper');
  expect(await os(lower, [{ name: 'etc/.wh.os-release' }])).toBe('linux');
  expect(await os(lower, [{ name: '.wh.etc' }])).toBe('linux');
  expect(await os(lower, [{ name: 'etc/.wh..wh..opq' }])).toBe('linux');
  // A whiteout takes from the layers below alone, wherever it stands.
  expect(await os(lower, [{ name: 'etc/os-release', content: release('upper') }, { name: 'etc/.wh..wh..opq' }])).toBe(
    'upper',
  );
  expect(
    await os([
      { name: 'usr/lib/os-release', content: release('hard') },
      { name: 'etc/os-release', type: 'link', linkname: 'usr/lib/os-release' },
    ]),
  ).toBe('hard');
  // Through a link to a folder, and through links that go round.
  expect(
    await os(
      [{ name: 'etc', type: 'symlink', linkname: '/usr/etc' }],
      [{ name: 'usr/etc/os-release', content: release('link') }],
    ),
  ).toBe('link');
  expect(await os([{ name: 'etc', type: 'symlink', linkname: 'etc' }])).toBe('linux');
  // A file in the place of a folder, and a folder in the place of a link.
  expect(await os(lower, [{ name: 'etc', content: 'a file' }])).toBe('linux');
  expect(
    await os(
      [
        { name: 'etc', type: 'symlink', linkname: 'usr/etc' },
        { name: 'usr/etc/os-release', content: release('link') },
      ],
      [{ name: 'etc', type: 'directory' }, ...lower],
    ),
  ).toBe('lower');
});

test.each<[string, Entry[], string]>([
  [
    'Alpine',
    [
      { name: 'lib/ld-musl-x86_64.so.1', content: elf([]) },
      { name: 'lib/apk/db/installed', content: 'C:Q1\nP:musl\nV:1.2.5-r0\nA:x86_64\n\nP:busybox\nV:1.36.1-r5\n' },
      { name: 'etc/os-release', content: 'ID=alpine\nVERSION_ID=3.20.0\n' },
    ],
    'alpine 3.20.0, whose C library is musl',
  ],
  ['an empty image', [], 'lacks ld-linux-x86-64.so.2, libc.so.6'],
  [
    'distroless base',
    debianFiles().filter(({ name }) => !/stdc|gcc_s/.test(name)),
    'lacks libgcc_s.so.1, libstdc++.so.6',
  ],
  ['an old glibc', debianFiles(versions('GLIBC_2.', 2, 24)), 'libc.so.6 lacks GLIBC_2.28 (it has up to GLIBC_2.24)'],
  ['libraries of another processor', debianFiles(undefined, 183), 'lacks'],
])('%s is told apart from what the server can run on', async (_, entries, told) => {
  const { facts } = await read([entries]);
  expect(whyUnfit(facts, await needs())?.why).toContain(told);
});

test('a base that does not fit ends the build with BASE_INVALID, which names it; for a model of another kind it does', async () => {
  const { digest } = await putBase(layout, [[{ name: 'lib/ld-musl-x86_64.so.1', content: elf([]) }]]);
  const image = { reference: 'r.example.com/alpine:3', digest };
  const runtime = { key: 'k', entries: async () => [] } as never;
  const cacheDir = join(dir, 'cache');
  const refused = imageBase(layout, AMD64, image, { cacheDir, runtime });
  await expect(refused).rejects.toMatchObject({
    code: 'BASE_INVALID',
    message: expect.stringContaining(image.reference),
  });
  expect((await imageBase(layout, AMD64, image, { cacheDir })).layers.length).toBe(1);
});

test('an image for another processor, and an artifact that is no image, are refused', async () => {
  const code = (work: Promise<unknown>) =>
    work.then(
      () => 'fine',
      (error) => (isInlayError(error) ? error.code : String(error)),
    );
  expect(await code(read([debianFiles()], {}, { os: 'linux', architecture: 'arm64' }))).toBe('PLATFORM_UNSUPPORTED');
  expect(await code(read([]))).toBe('BASE_INVALID');
  expect(await code(read([[{ name: 'x' }]], { layerType: 'application/vnd.example.thing' }))).toBe('IMAGE_INVALID');
});

test('what an image holds is read once', async () => {
  const first = await read([debianFiles()]);
  const { digest } = await putBase(layout, [debianFiles()]);
  rmSync(layout.blobPath(first.layers[0]?.descriptor.digest as string));
  const again = await baseFromImage(layout, AMD64, { reference: 'x/y:1', digest }, join(dir, 'cache'));
  expect(again.facts).toEqual(first.facts);
});

test('an image on a base: its environment, other labels and history go on; user, program and own labels are ours', async () => {
  const manifest = await putBase(layout, [debianFiles(), [{ name: 'opt/x', content: 'y' }]], {
    layerType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    config: {
      User: 'root',
      Env: ['PATH=/usr/local/bin:/usr/bin', 'SSL_CERT_FILE=/etc/ssl/x', 'PORT=80', 'ODD', 'PYTHON_VERSION=3.11.9'],
      Entrypoint: ['/bin/sh'],
      Cmd: ['-c', 'x'],
      Labels: { 'org.opencontainers.image.title': 'debian', 'inlay.version': '9', 'com.example.team': 'infra' },
      Volumes: { '/data': {} },
    },
    history: [{ created_by: 'one' }, { created_by: 'ENV', empty_layer: true }, { created_by: 'two' }],
  });
  const image = { reference: 'r.example.com/b:1', digest: manifest.digest };
  const { layers, under, libraries } = await imageBase(layout, AMD64, image, { cacheDir: join(dir, 'cache') });
  expect(libraries).toEqual({ python: '3.11.9', libc6: '2.36-9+deb12u13' });
  const own = await layout.putBytes('model', MEDIA_TYPE.layer);
  const model = { descriptor: own, diffId: own.digest, kind: 'model' as const, contents: 'm', reused: false };
  const parts = {
    platform: AMD64,
    layers: [...layers, model],
    under,
    workingDir: '/model',
    annotations: {},
    epochS: 0,
  };
  const labels = { 'org.opencontainers.image.title': 'iris' };
  const built = await putImage(layout, { ...parts, labels, env: { MODEL_FILEPATH: '/model/m' }, program: 'server' });
  const { config, manifest: written } = await layout.resolve(built.digest, AMD64);
  // The bytes are those of the base; Docker's name for the kind of layer becomes OCI's.
  const before = await layout.resolve(manifest.digest, AMD64);
  expect(written.layers.slice(0, 2).map(({ digest }) => digest)).toEqual(
    before.manifest.layers.map(({ digest }) => digest),
  );
  expect(written.layers[0]?.mediaType).toBe(MEDIA_TYPE.layerGzip);
  expect(config.config).toMatchObject({ User: '65532:65532', WorkingDir: '/model' });
  expect(config.config.Entrypoint?.[0]).toBe('/opt/inlay/bin/bun');
  expect(config.config.Cmd).toBeUndefined();
  expect(config.config.Labels).toEqual({ 'com.example.team': 'infra', ...labels });
  expect(config.config.Env).toEqual(
    expect.arrayContaining([
      'PATH=/opt/inlay/bin:/usr/local/bin:/usr/bin',
      'SSL_CERT_FILE=/etc/ssl/x',
      'PORT=8000',
      'MODEL_FILEPATH=/model/m',
    ]),
  );
  expect(config.history?.map(({ created_by }) => created_by)).toEqual(['one', 'ENV', 'two', 'inlay model']);

  // An opaque model's image starts what its base starts, as its user.
  const other = await putImage(layout, { ...parts, labels, env: { MODEL_FILEPATH: '/m' }, program: 'base' });
  expect((await layout.resolve(other.digest, AMD64)).config.config).toMatchObject({
    User: 'root',
    Entrypoint: ['/bin/sh'],
    Cmd: ['-c', 'x'],
    Volumes: { '/data': {} },
    Env: [
      'PATH=/usr/local/bin:/usr/bin',
      'SSL_CERT_FILE=/etc/ssl/x',
      'PORT=80',
      'ODD=',
      'PYTHON_VERSION=3.11.9',
      'MODEL_FILEPATH=/m',
    ],
  });
});

test('the symbol versions of ELF files: those of the program that runs this, and of one made here', async () => {
  const file = Bun.file(process.execPath);
  const own = await elfVersions(async (at, length) => Buffer.from(await file.slice(at, at + length).arrayBuffer()));
  expect(own?.needed).toContain('libc.so.6');
  expect(own?.wants['libc.so.6']?.every((version) => version.startsWith('GLIBC_'))).toBe(true);
  const bytes = elf(['A_1', 'A_2'], { 'libc.so.6': ['GLIBC_2.17', 'GLIBC_2.28'], 'libm.so.6': [] }, 183);
  const found = await elfVersions(async (at, length) => bytes.subarray(at, at + length));
  expect(found).toEqual({
    machine: 183,
    needed: ['libc.so.6', 'libm.so.6'],
    wants: { 'libc.so.6': ['GLIBC_2.17', 'GLIBC_2.28'], 'libm.so.6': [] },
    defines: ['A_1', 'A_2'],
  });
});

test('a damaged ELF file is none, and ends nothing but its own reading', async () => {
  const bytes = elf(versions('V_', 1, 20), { 'libc.so.6': versions('GLIBC_2.', 2, 30) });
  for (let i = 0; i < 3000; i++) {
    const bent = Buffer.from(bytes);
    for (let n = 0; n < 1 + (i % 4); n++) bent[(i * 7919 + n * 104729) % bent.length] = (i * 31 + n * 17) & 255;
    const cut = bent.subarray(0, i % 3 === 0 ? (i * 13) % bent.length : bent.length);
    await elfVersions(async (at, length) => cut.subarray(at, at + length));
  }
  expect(await elfVersions(async () => Buffer.from('#!/bin/sh'))).toBeUndefined();
});

test('which base is meant: what is asked, then what the lock has, then what the machine can', () => {
  const apt = { base: { kind: 'apt' as const, platforms: {} } };
  const pinned = { baseImages: { [DEFAULT_BASE]: `sha256:${'0'.repeat(64)}` } };
  const image = (reference: string) => ({ kind: 'image' as const, reference });
  expect(chooseBase('apt', pinned, false)).toEqual({ kind: 'apt' });
  expect(chooseBase('debian:12', apt, true)).toEqual(image('debian:12'));
  expect(chooseBase(undefined, undefined, true)).toEqual({ kind: 'apt' });
  expect(chooseBase(undefined, undefined, false)).toEqual(image(DEFAULT_BASE));
  expect(chooseBase(undefined, apt, false)).toEqual({ kind: 'apt' });
  expect(chooseBase(undefined, pinned, true)).toEqual(image(DEFAULT_BASE));
  expect(chooseBase(undefined, { ...apt, ...pinned }, true)).toEqual({ kind: 'apt' });
  expect(chooseBase(undefined, { ...apt, ...pinned }, false)).toEqual(image(DEFAULT_BASE));
});
