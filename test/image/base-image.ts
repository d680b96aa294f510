// Images to stand on, made of layers of files: what a distribution would have put there.

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { type Descriptor, MEDIA_TYPE, type OciLayout } from '../../src/image/index.ts';
import { elf } from './elf-builder.ts';

export type Entry = Partial<Header> & { readonly name: string; readonly content?: string | Buffer };

/** glibc and libstdc++ of about Debian 12, as Debian places them. */
export function debianFiles(libc: readonly string[] = versions('GLIBC_2.', 2, 36), machine = 62): Entry[] {
  const [multiarch, loader] =
    machine === 62
      ? ['usr/lib/x86_64-linux-gnu', 'ld-linux-x86-64.so.2']
      : ['usr/lib/aarch64-linux-gnu', 'ld-linux-aarch64.so.1'];
  const old = ['GLIBC_2.2.5', 'GLIBC_2.3', 'GLIBC_2.3.2', 'GLIBC_2.3.3', 'GLIBC_2.3.4'];
  const library = (name: string, defines: readonly string[]) => ({
    name: `${multiarch}/${name}`,
    content: elf(defines, {}, machine),
  });
  const glibc = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1', loader];
  return [
    { name: 'lib', type: 'symlink', linkname: 'usr/lib' },
    { name: 'lib64', type: 'symlink', linkname: 'usr/lib64' },
    { name: `usr/lib64/${loader}`, type: 'symlink', linkname: `../../${multiarch}/${loader}` },
    ...(machine === 62
      ? []
      : [{ name: `usr/lib/${loader}`, type: 'symlink' as const, linkname: `/${multiarch}/${loader}` }]),
    ...glibc.map((name) => library(name, [...old, ...libc])),
    // A name that leads to the file with the full version, as distributions have it.
    { name: `${multiarch}/libstdc++.so.6`, type: 'symlink', linkname: 'libstdc++.so.6.0.30' },
    library('libstdc++.so.6.0.30', [
      ...['GLIBCXX_3.4', 'CXXABI_1.3'],
      ...versions('GLIBCXX_3.4.', 1, 30),
      ...versions('CXXABI_1.3.', 1, 13),
    ]),
    library('libgcc_s.so.1', ['GCC_3.0', 'GCC_3.4', 'GCC_4.0.0', 'GCC_4.3.0']),
    { name: 'etc/os-release', type: 'symlink', linkname: '../usr/lib/os-release' },
    {
      name: 'usr/lib/os-release',
      content: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
    },
    {
      name: 'var/lib/dpkg/status',
      content:
        'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u13\nDescription: C library\n with lines\n\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n',
    },
  ];
}

export function versions(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `${prefix}${from + i}`);
}

export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const stream = pack();
  for (const { content = '', ...header } of entries) stream.entry(header, content as Buffer);
  stream.finalize();
  return Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Uint8Array>));
}

export interface BaseParts {
  readonly architecture?: string;
  readonly config?: Record<string, unknown>;
  readonly layerType?: string;
  readonly history?: readonly Record<string, unknown>[];
}

/** Puts an image of gzip layers into a layout. @returns its manifest, with its platform */
export async function putBase(
  layout: OciLayout,
  layers: readonly (readonly Entry[])[],
  { architecture = 'amd64', config = {}, layerType = MEDIA_TYPE.layerGzip, history }: BaseParts = {},
): Promise<Descriptor> {
  const blobs: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const entries of layers) {
    const tar = await tarOf(entries);
    diffIds.push(`sha256:${createHash('sha256').update(tar).digest('hex')}`);
    blobs.push(await layout.putBytes(gzipSync(tar), layerType));
  }
  const document = {
    architecture,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...(history ? { history } : {}),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await layout.putJson(document, MEDIA_TYPE.config),
    layers: blobs,
  };
  return { ...(await layout.putJson(manifest, MEDIA_TYPE.manifest)), platform: { os: 'linux', architecture } };
}

/** Names an index of platforms. @returns its digest */
export async function nameIndex(layout: OciLayout, name: string, manifests: readonly Descriptor[]): Promise<string> {
  const index = await layout.putJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }, MEDIA_TYPE.index);
  await layout.tag(name, index);
  return index.digest;
}
