import { type Pointer, read } from 'bun:ffi';
import { check, type Library, OUT, OUT_AT } from './c-api.ts';

/** Writes the texts of an OrtValue of strings, as UTF-8. */
export function writeTexts({ api, memcpy }: Library, value: Pointer, texts: readonly string[]): void {
  texts.forEach((text, i) => {
    const bytes = Buffer.from(text);
    // Not FillStringTensor, for which a text ends where it has a NUL.
    check(api.GetResizedStringTensorElementBuffer(value, i, bytes.length, OUT));
    if (bytes.length > 0) memcpy(read.ptr(OUT_AT) as Pointer, bytes, bytes.length);
  });
}

/** The texts of an OrtValue of strings. */
export function readTexts({ api }: Library, value: Pointer, count: number): string[] {
  if (count === 0) return [];
  check(api.GetStringTensorDataLength(value, OUT));
  const length = read.u64(OUT_AT);
  const bytes = Buffer.alloc(Math.max(1, Number(length)));
  const offsets = new BigUint64Array(count);
  check(api.GetStringTensorContent(value, bytes, length as never, offsets, count));
  return Array.from(offsets, (offset, i) => bytes.toString('utf8', Number(offset), Number(offsets[i + 1] ?? length)));
}
