/** Reads bytes of a file; fewer at its end. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/** What a dynamic ELF file asks of shared libraries, and what it offers as one. */
export interface ElfVersions {
  /** `EM_X86_64` is 62, `EM_AARCH64` is 183. */
  readonly machine: number;
  /** Names in DT_NEEDED: `libc.so.6`. */
  readonly needed: readonly string[];
  /** For each library the symbol versions that are asked of it: `libc.so.6` → `GLIBC_2.17`. */
  readonly wants: Readonly<Record<string, readonly string[]>>;
  /** Symbol versions that it defines. */
  readonly defines: readonly string[];
}

const SHT_DYNAMIC = 6;
const SHT_GNU_VERDEF = 0x6ffffffd;
const SHT_GNU_VERNEED = 0x6ffffffe;
const DT_NEEDED = 1n;
/** No section that is read here is larger in any library; a file that says so is damaged. */
const LIMIT = 4 * 2 ** 20;

/**
 * Symbol versions of a 64-bit little-endian ELF file (System V ABI, and "Symbol Versioning" of the Linux Standard Base); undefined for
 * anything else, damaged files included.
 */
export async function elfVersions(read: ReadAt): Promise<ElfVersions | undefined> {
  try {
    const header = await read(0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1)
      return undefined;
    return await versionsOf(header, read);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function versionsOf(header: Buffer, read: ReadAt): Promise<ElfVersions> {
  const [size, count] = [header.readUInt16LE(58), header.readUInt16LE(60)];
  const table = await read(Number(header.readBigUInt64LE(40)), size * count);
  const sections = Array.from({ length: count }, (_, i) => {
    const at = i * size;
    return {
      type: table.readUInt32LE(at + 4),
      offset: Number(table.readBigUInt64LE(at + 24)),
      size: Number(table.readBigUInt64LE(at + 32)),
      link: table.readUInt32LE(at + 40),
    };
  });
  const bytesOf = (section: (typeof sections)[number] | undefined) => {
    if (section === undefined || section.size > LIMIT) throw new RangeError('no such section');
    return read(section.offset, section.size);
  };
  const needed: string[] = [];
  const wants: Record<string, string[]> = {};
  const defines: string[] = [];
  for (const section of sections) {
    if (![SHT_DYNAMIC, SHT_GNU_VERNEED, SHT_GNU_VERDEF].includes(section.type)) continue;
    const data = await bytesOf(section);
    const strings = await bytesOf(sections[section.link]);
    const text = (at: number) => {
      const end = strings.indexOf(0, at);
      if (at >= strings.length || end < 0) throw new RangeError('a name outside of its table');
      return strings.toString('latin1', at, end);
    };
    if (section.type === SHT_DYNAMIC) {
      for (let at = 0; at + 16 <= data.length; at += 16)
        if (data.readBigInt64LE(at) === DT_NEEDED) needed.push(text(Number(data.readBigUInt64LE(at + 8))));
    } else if (section.type === SHT_GNU_VERNEED) {
      for (const at of chain(data, 0, 12)) {
        const file = text(data.readUInt32LE(at + 4));
        const records = data.readUInt16LE(at + 2) === 0 ? [] : chain(data, at + data.readUInt32LE(at + 8), 12);
        const names = records.map((aux) => text(data.readUInt32LE(aux + 8)));
        wants[file] = [...(wants[file] ?? []), ...names];
      }
    } else {
      for (const at of chain(data, 0, 16)) defines.push(text(data.readUInt32LE(at + data.readUInt32LE(at + 12))));
    }
  }
  return { machine: header.readUInt16LE(18), needed, wants, defines };
}

/** The places of records that each say how far the next one is; `next` is where in a record. Always forwards, so it ends. */
function chain(data: Buffer, first: number, next: number): number[] {
  const places: number[] = [];
  for (let at = first; ; ) {
    places.push(at);
    const step = data.readUInt32LE(at + next);
    if (step === 0) return places;
    at += step;
  }
}
