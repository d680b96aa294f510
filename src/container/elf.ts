import { open } from 'node:fs/promises';

const PT_INTERP = 3;

/**
 * The dynamic loader that an ELF program asks for (program header PT_INTERP, System V ABI), or undefined for a static
 * program or what is no 64-bit little-endian ELF file.
 */
export async function interpreterOf(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const read = async (length: number, position: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    const header = await read(64, 0);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1)
      return undefined;
    const at = Number(header.readBigUInt64LE(32));
    const size = header.readUInt16LE(54);
    const count = header.readUInt16LE(56);
    const table = await read(size * count, at);
    for (let i = 0; (i + 1) * size <= table.length; i++) {
      const entry = table.subarray(i * size);
      if (entry.readUInt32LE(0) !== PT_INTERP) continue;
      const text = await read(Math.min(Number(entry.readBigUInt64LE(32)), 4096), Number(entry.readBigUInt64LE(8)));
      return text.toString('latin1').replace(/\0.*$/s, '');
    }
    return undefined;
  } finally {
    await file.close();
  }
}
