// A shared library as far as the dynamic loader's symbol versions go: sections and nothing to run.

/** @param defines symbol versions @param wants by library @param machine 62 is x86-64, 183 is AArch64 */
export function elf(
  defines: readonly string[],
  wants: Readonly<Record<string, readonly string[]>> = {},
  machine = 62,
): Buffer {
  const strings: number[] = [0];
  const name = (text: string) => {
    const at = strings.length;
    strings.push(...Buffer.from(text), 0);
    return at;
  };
  const verdef = Buffer.concat(
    defines.map((version, i) => {
      const record = Buffer.alloc(28);
      record.writeUInt16LE(1, 0);
      record.writeUInt16LE(1, 6);
      record.writeUInt32LE(20, 12); // its name is right behind it
      record.writeUInt32LE(i + 1 < defines.length ? 28 : 0, 16);
      record.writeUInt32LE(name(version), 20);
      return record;
    }),
  );
  const libraries = Object.entries(wants);
  const verneed = Buffer.concat(
    libraries.map(([library, versions], i) => {
      const record = Buffer.alloc(16 * (1 + versions.length));
      record.writeUInt16LE(versions.length, 2);
      record.writeUInt32LE(name(library), 4);
      record.writeUInt32LE(16, 8);
      record.writeUInt32LE(i + 1 < libraries.length ? record.length : 0, 12);
      for (const [j, version] of versions.entries()) {
        record.writeUInt32LE(name(version), 16 * (j + 1) + 8);
        record.writeUInt32LE(j + 1 < versions.length ? 16 : 0, 16 * (j + 1) + 12);
      }
      return record;
    }),
  );
  const dynamic = Buffer.concat(
    libraries.map(([library]) => {
      const record = Buffer.alloc(16);
      record.writeBigInt64LE(1n, 0);
      record.writeBigUInt64LE(BigInt(name(library)), 8);
      return record;
    }),
  );
  const parts = [
    { type: 3, data: Buffer.from(strings) },
    { type: 0x6ffffffd, data: verdef },
    { type: 0x6ffffffe, data: verneed },
    { type: 6, data: dynamic },
  ].filter(({ data }) => data.length > 0);
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header.set([2, 1, 1], 4);
  header.writeUInt16LE(machine, 18);
  header.writeBigUInt64LE(64n, 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(parts.length, 60);
  let offset = 64 + 64 * parts.length;
  const table = parts.map(({ type, data }) => {
    const section = Buffer.alloc(64);
    section.writeUInt32LE(type, 4);
    section.writeBigUInt64LE(BigInt(offset), 24);
    section.writeBigUInt64LE(BigInt(data.length), 32);
    offset += data.length;
    return section; // all names are in section 0
  });
  return Buffer.concat([header, ...table, ...parts.map(({ data }) => data)]);
}
