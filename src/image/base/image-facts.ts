import { z } from 'zod';
import { InlayError, isInlayError } from '../../error/index.ts';
import { decompressed } from '../layer/decompressed.ts';
import { type ReadEntry, readTar } from '../layer/read-tar.ts';
import type { OciLayout, ResolvedImage } from '../oci/layout.ts';
import type { Descriptor, Platform } from '../oci/schema.ts';
import { elfVersions } from './elf-versions.ts';
import { FileTree, type TreeNode } from './file-tree.ts';
import {
  type BasePackage,
  parseApkInstalled,
  parseDpkgStatus,
  parseOsRelease,
  parsePythonMetadata,
} from './package-lists.ts';
import { readRpmDatabase } from './rpm-database.ts';

export const basePackageSchema = z
  .object({
    type: z.enum(['deb', 'apk', 'rpm', 'pypi']),
    name: z.string(),
    version: z.string(),
    architecture: z.string().optional(),
  })
  .readonly();

/** What an image holds, as far as a server that is put onto it has to know. */
export const imageFactsSchema = z
  .object({
    schemaVersion: z.literal(1),
    os: z.object({ id: z.string(), versionId: z.string(), prettyName: z.string() }).readonly(),
    packages: z.array(basePackageSchema).readonly(),
    /** Symbol versions that its shared libraries define, by the name that programs ask for: `libc.so.6` → `GLIBC_2.36`. */
    libraries: z.record(z.string(), z.array(z.string()).readonly()).readonly(),
    /** The C library is musl, as in Alpine. */
    musl: z.boolean(),
  })
  .readonly();
export type BaseImageFacts = z.infer<typeof imageFactsSchema>;

/** A file that is kept: its text, or what a library defines. */
type Kept =
  | { readonly text: string }
  | { readonly packages: readonly BasePackage[] }
  | { readonly machine: number; readonly defines: readonly string[] };

const LISTS = /(^|\/)((etc|lib)\/os-release|lib\/dpkg\/status(\.d\/[^/]+)?|lib\/apk\/db\/installed)$/;
/** RPM's database, where it was and where it is now. */
const RPM = /(^|\/)(var\/lib|usr\/lib\/sysimage|lib\/sysimage)\/rpm\/rpmdb\.sqlite$/;
const PYTHON = /\.(dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/;
/** Python packages of Debian's own, which dpkg knows by their .deb. */
const DEBIAN_PYTHON = /^usr\/lib\/python3\/dist-packages\//;
const LIBRARY = /(^|\/)(libc|libm|libdl|libpthread|librt|libstdc\+\+|libgcc_s|ld)(-[^/]*)?\.so(\.[^/]*)?$/;
const MUSL = /(^|\/)ld-musl-[^/]+\.so\.1$/;
const TEXT_BYTES = 32 * 2 ** 20;
const LIBRARY_BYTES = 64 * 2 ** 20;
const DATABASE_BYTES = 512 * 2 ** 20;

const MACHINE: Readonly<Record<string, number>> = { amd64: 62, arm64: 183 };
const MULTIARCH: Readonly<Record<string, string>> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
/** Where the dynamic loader is asked for (System V ABI of the architecture). */
const LOADER: Readonly<Record<string, string>> = {
  amd64: 'lib64/ld-linux-x86-64.so.2',
  arm64: 'lib/ld-linux-aarch64.so.1',
};

/**
 * Reads the layers of one platform's image in the store, once, in constant memory.
 * @throws IMAGE_INVALID
 */
export async function readImageFacts(
  layout: OciLayout,
  image: ResolvedImage,
  platform: Platform,
): Promise<BaseImageFacts> {
  const tree = new FileTree<Kept>();
  for (const layer of image.manifest.layers) {
    await addLayer(tree, decompressed(layout.stream(layer), layer.mediaType));
  }
  return {
    schemaVersion: 1,
    os: parseOsRelease(textAt(tree, 'etc/os-release') ?? textAt(tree, 'usr/lib/os-release')),
    packages: packagesOf(tree),
    libraries: librariesOf(tree, platform),
    musl: tree.matching(MUSL).length > 0,
  };
}

/**
 * The operating system and the packages of an image, read from layers as they come, in constant memory; libraries are skipped over. A
 * layer that is broken, as a tar without its end, which runtimes unpack nevertheless, tells what stands before that.
 * @param layers bottom first; those that are left out are as if they were empty
 * @returns `whole` where every layer could be read to its end
 * @throws what `read` throws
 */
export async function readImagePackages(
  layers: readonly Descriptor[],
  read: (layer: Descriptor) => AsyncIterable<Uint8Array>,
): Promise<Pick<BaseImageFacts, 'os' | 'packages'> & { readonly whole: boolean }> {
  const tree = new FileTree<Kept>();
  let whole = true;
  for (const layer of layers)
    try {
      await addLayer(tree, decompressed(read(layer), layer.mediaType), false);
    } catch (error) {
      if (!isInlayError(error) || error.code !== 'IMAGE_INVALID') throw error;
      whole = false;
    }
  return {
    whole,
    os: parseOsRelease(textAt(tree, 'etc/os-release') ?? textAt(tree, 'usr/lib/os-release')),
    packages: packagesOf(tree),
  };
}

/** What a layer has at a path; undefined for a file that nobody wants. */
type Added =
  | TreeNode<Kept>
  | { readonly type: 'link'; readonly target: string }
  | { readonly type: 'directory' }
  | undefined;

/** Whiteouts take from the layers below, wherever in the layer they stand; so they come before what the layer adds. */
async function addLayer(tree: FileTree<Kept>, tar: AsyncIterable<Uint8Array>, libraries = true): Promise<void> {
  const added: { readonly name: string; readonly node: Added }[] = [];
  try {
    await readLayer(tree, tar, libraries, added);
  } finally {
    addAll(tree, added);
  }
}

async function readLayer(
  tree: FileTree<Kept>,
  tar: AsyncIterable<Uint8Array>,
  libraries: boolean,
  added: { readonly name: string; readonly node: Added }[],
): Promise<void> {
  for await (const { header, content } of readTar(tar)) {
    const { name, type, linkname = '' } = header;
    if (tree.whiteOut(name)) continue;
    if (type === 'directory') added.push({ name, node: { type: 'directory' } });
    else if (type === 'symlink' || type === 'link') added.push({ name, node: { type, target: linkname } });
    else {
      const value = type === 'file' ? await keep(name, header.size ?? 0, content, libraries) : undefined;
      added.push({ name, node: value && { type: 'file', value } });
    }
  }
}

function addAll(tree: FileTree<Kept>, added: readonly { readonly name: string; readonly node: Added }[]): void {
  for (const { name, node } of added) {
    const path = tree.canonical(name);
    // A folder keeps what is in it, and takes the place of a link.
    if (node?.type !== 'directory') tree.remove(path);
    else if (tree.isLink(path)) tree.remove(path);
    if (node?.type === 'link') {
      const value = tree.get(node.target);
      if (value !== undefined) tree.put(path, { type: 'file', value });
    } else if (node !== undefined && node.type !== 'directory') tree.put(path, node);
  }
}

/** What is to be known of a file; the name may lead through links, so only its end counts here. */
async function keep(
  name: string,
  size: number,
  content: ReadEntry['content'],
  libraries: boolean,
): Promise<Kept | undefined> {
  const path = name.replace(/^(\.?\/)+/, '');
  if (RPM.test(path) && size <= DATABASE_BYTES)
    return { packages: await readRpmDatabase(Buffer.concat(await Array.fromAsync(content))) };
  const isText = LISTS.test(path) || (PYTHON.test(path) && !DEBIAN_PYTHON.test(path));
  const isLibrary = libraries && (LIBRARY.test(path) || MUSL.test(path));
  if (!isText && !isLibrary) return undefined;
  if (size > (isText ? TEXT_BYTES : LIBRARY_BYTES)) {
    if (isLibrary) return undefined;
    throw new InlayError('IMAGE_INVALID', `${path} of the base has ${size} bytes, too many for what it is`);
  }
  const bytes = Buffer.concat(await Array.fromAsync(content));
  if (isText) return { text: bytes.toString('utf8') };
  const versions = await elfVersions(async (position, length) => bytes.subarray(position, position + length));
  return { machine: versions?.machine ?? 0, defines: versions?.defines ?? [] };
}

function textAt(tree: FileTree<Kept>, path: string): string | undefined {
  const found = tree.get(path);
  return found && 'text' in found ? found.text : undefined;
}

function packagesOf(tree: FileTree<Kept>): BasePackage[] {
  const read = <T>(pattern: RegExp, parse: (text: string) => T): T[] =>
    tree.matching(pattern).flatMap((path) => {
      const text = textAt(tree, path);
      return text === undefined ? [] : [parse(text)];
    });
  const rpm = tree.matching(RPM).flatMap((path) => {
    const found = tree.get(path);
    return found && 'packages' in found ? found.packages : [];
  });
  const all = [
    ...rpm,
    ...read(/^var\/lib\/dpkg\/status(\.d\/[^/]+)?$/, parseDpkgStatus).flat(),
    ...read(/(^|\/)lib\/apk\/db\/installed$/, parseApkInstalled).flat(),
    ...read(PYTHON, parsePythonMetadata).filter((one) => one !== undefined),
  ];
  const key = ({ type, name, version }: BasePackage) => `${type} ${name} ${version}`;
  const unique = new Map(all.map((one) => [key(one), one]));
  return [...unique.values()].toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The libraries that the loader would find for that architecture, in the order in which it looks. */
function librariesOf(tree: FileTree<Kept>, { architecture }: Platform): Record<string, readonly string[]> {
  const multiarch = MULTIARCH[architecture];
  const folders = [`lib/${multiarch}`, `usr/lib/${multiarch}`, 'lib64', 'usr/lib64', 'lib', 'usr/lib', 'usr/local/lib'];
  const found: Record<string, readonly string[]> = {};
  const add = (name: string, path: string) => {
    const library = tree.get(path);
    if (found[name] === undefined && library && 'defines' in library && library.machine === MACHINE[architecture])
      found[name] = library.defines;
  };
  const names = new Set(tree.matching(LIBRARY).map((path) => path.slice(path.lastIndexOf('/') + 1)));
  for (const folder of folders)
    for (const name of [...names].sort()) if (!name.startsWith('ld')) add(name, `${folder}/${name}`);
  const loader = LOADER[architecture];
  if (loader !== undefined) add(loader.slice(loader.lastIndexOf('/') + 1), loader);
  return found;
}
