import { join } from 'node:path';
import { type DigestFile, digestFile, type FileDigest } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { StampedDigests, stampOf } from './file-stamp.ts';
import { writeFileLayer } from './layer/file-layer.ts';
import { LAYER_FORMAT, type Layer } from './layer/layer.ts';
import { cachedLayer, rememberLayer } from './layer/layer-cache.ts';
import type { OciLayout } from './oci/layout.ts';

/**
 * A file of a model from this size on is a layer of its own, so that it keeps its digest, and is not sent again, as long
 * as its bytes stay: whatever becomes of the contract, the labels or the other weights.
 */
export const OWN_LAYER_BYTES = 16 * 2 ** 20;

/** Reading less than this takes no longer than looking up what was read. */
const REMEMBERED_BYTES = 2 ** 20;

/** Where a file of the model lies in the image, relative to its root; an absolute name says it itself. */
export function modelFilePath(name: string): string {
  return name.startsWith('/') ? name.slice(1) : `model/${name}`;
}

/** The folders above a place that somebody chose are not ours. */
function writeModelFile(layout: OciLayout, source: string, name: string, mtimeS: number) {
  const path = modelFilePath(name);
  return writeFileLayer(layout, source, path, { mtimeS, inside: name.startsWith('/') ? path : undefined });
}

/** The digests of a model's files, for `readProject` before a build. */
export class ModelDigests {
  readonly #layout: OciLayout;
  readonly #cacheDir: string;
  readonly #mtimeS: number;
  readonly #known: StampedDigests;
  readonly #written = new Set<string>();

  /** @param cacheDir for the notes @param mtimeS the time that layers carry, seconds since 1970 */
  constructor(layout: OciLayout, cacheDir: string, mtimeS: number) {
    this.#layout = layout;
    this.#cacheDir = cacheDir;
    this.#mtimeS = mtimeS;
    this.#known = new StampedDigests(join(cacheDir, 'files'));
  }

  /** The layers that were written on the way. */
  get written(): ReadonlySet<string> {
    return this.#written;
  }

  /**
   * A big file that is not known yet is read once: hashed and written to the store as the layer that it is going to be.
   * A known one, with the same stamp, is not read at all.
   */
  readonly digest: DigestFile = async (path, name) => {
    const stamp = await stampOf(path).catch(() => undefined);
    // What is not there, digestFile says best.
    if (stamp === undefined || stamp.size < REMEMBERED_BYTES) return digestFile(path);
    const before = await this.#known.get(stamp);
    if (before) return before;
    const found = stamp.size < OWN_LAYER_BYTES ? await digestFile(path) : await this.#readIntoLayer(path, name);
    await this.#known.put(path, stamp, found);
    return found;
  };

  async #readIntoLayer(path: string, name: string): Promise<FileDigest> {
    const { layer, digest, sizeBytes } = await writeModelFile(this.#layout, path, name, this.#mtimeS);
    await rememberLayer(join(this.#cacheDir, 'layers'), keyOf(name, digest, this.#mtimeS), layer);
    this.#written.add(layer.descriptor.digest);
    return { digest, sizeBytes };
  }
}

/**
 * The layer of one big file of a model, as `ModelDigests` wrote it, or written now.
 * @param file as the contract has it @throws IMAGE_INVALID when the file is no longer what the contract says
 */
export function modelFileLayer(
  layout: OciLayout,
  cacheDir: string,
  path: string,
  file: { readonly file: string; readonly digest: string },
  mtimeS: number,
): Promise<Layer & { readonly reused: boolean }> {
  return cachedLayer(layout, join(cacheDir, 'layers'), keyOf(file.file, file.digest, mtimeS), async () => {
    const { layer, digest } = await writeModelFile(layout, path, file.file, mtimeS);
    requireSame(path, digest, file.digest);
    return layer;
  });
}

/** @throws IMAGE_INVALID */
export function requireSame(path: string, found: string, expected: string): void {
  if (found !== expected)
    throw new InlayError('IMAGE_INVALID', `${path} changed during the build: it is no longer ${expected}`, {
      hint: 'Let nothing write to it, and build again.',
    });
}

function keyOf(name: string, digest: string, mtimeS: number): string {
  return [LAYER_FORMAT, 'model file', mtimeS, name, digest].join('\n');
}
