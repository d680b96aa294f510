import { dlopen, type Pointer, toArrayBuffer } from 'bun:ffi';
import { closeSync, existsSync, openSync, readdirSync, statSync } from 'node:fs';
import { InlayError } from '../error/index.ts';
import { folderIsNoModel } from './onnx/other-format.ts';

/**
 * Maps a model file into memory: its pages are read when they are looked at.
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, MODEL_FORMAT
 */
export function mapFile(path: string): Uint8Array {
  if (!existsSync(path))
    throw new InlayError('FILE_NOT_FOUND', `no model file ${path}`, {
      hint: 'Check model: in inlay.yaml, or MODEL_FILEPATH.',
    });
  const found = statSync(path);
  if (found.isDirectory()) throw folderIsNoModel(path, readdirSync(path));
  if (found.size === 0) return new Uint8Array();
  try {
    return mapReadOnly(path, found.size);
  } catch (cause) {
    throw new InlayError('FILE_UNREADABLE', `cannot read ${path}: ${(cause as Error).message}`, {
      cause,
      hint: 'Check its permissions.',
    });
  }
}

const PROT_READ = 1;
const MAP_PRIVATE = 2;
/** Above this an address is MAP_FAILED: (void *) -1. */
const HIGHEST_ADDRESS = 2 ** 62;

/**
 * Maps a file into memory to be read: its pages are read when they are looked at. `Bun.mmap` opens the file for writing, which an
 * image's user may not, so on Linux this is libc's mmap. The mapping lasts as long as the process: pages of a file
 * that nobody looks at cost nothing.
 * @param sizeBytes the file's size, more than 0 @throws what opening throws
 */
function mapReadOnly(path: string, sizeBytes: number): Uint8Array {
  if (process.platform !== 'linux') return Bun.mmap(path, { shared: false });
  const file = openSync(path, 'r');
  try {
    libc ??= openLibc();
    const address = libc.symbols.mmap(null, sizeBytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (address === null || address >= HIGHEST_ADDRESS) throw new Error('the system refuses to map it into memory');
    return new Uint8Array(toArrayBuffer(Number(address) as Pointer, 0, sizeBytes));
  } finally {
    closeSync(file);
  }
}

const openLibc = () =>
  dlopen('libc.so.6', { mmap: { args: ['ptr', 'u64', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' } });
let libc: ReturnType<typeof openLibc> | undefined;
