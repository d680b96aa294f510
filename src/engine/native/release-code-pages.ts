import { dlopen } from 'bun:ffi';
import { readFileSync } from 'node:fs';

const MADV_DONTNEED = 4;
/** `7f31c0a00000-7f31c2100000 r-xp 00b1c000 fe:00 123 /path`: an executable part of a file. */
const CODE = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ [1-9]\d* +(\S.*)$/;

/**
 * Gives back the memory of code that only the start needed: reading JavaScript, registering ONNX Runtime's operators, optimizing the
 * graph. It is 20 of 95 MB, is never written to, and what is used again comes back from the file's pages in the system's
 * cache, some microseconds each time. Linux only; elsewhere nothing happens, nor where no file can be opened: it is memory that a busy
 * server goes without.
 */
export function releaseCodePages(): void {
  if (process.platform !== 'linux') return;
  const { symbols, close } = dlopen('libc.so.6', { madvise: { args: ['u64', 'u64', 'i32'], returns: 'i32' } });
  for (const line of readMaps().split('\n')) {
    const [, start = '', end = '', file = ''] = CODE.exec(line) ?? [];
    if (file !== process.execPath && !file.includes('libonnxruntime')) continue;
    const from = Number.parseInt(start, 16);
    symbols.madvise(from, Number.parseInt(end, 16) - from, MADV_DONTNEED);
  }
  close();
}

function readMaps(): string {
  try {
    return readFileSync('/proc/self/maps', 'latin1');
  } catch {
    return '';
  }
}
