import type { BasePackage } from './package-lists.ts';

// Tags and types of RPM headers (rpm's documentation, "RPM v4 Package Format", header tags).
const TAG = { name: 1000, version: 1001, release: 1002, epoch: 1003, architecture: 1022 } as const;
const TYPE = { int32: 4, string: 6 } as const;
/** An RPM's signing keys stand in the database as packages of this name. */
const KEY = 'gpg-pubkey';

/**
 * The installed packages of an RPM database in SQLite (rpm 4.16 and newer: Fedora, Red Hat 9 and UBI 9, SUSE); none of what cannot be
 * read as one. @param bytes of rpmdb.sqlite
 */
export async function readRpmDatabase(bytes: Uint8Array): Promise<BasePackage[]> {
  const { Database } = await import('bun:sqlite');
  // In memory there is no write-ahead log, which RPM leaves switched on (SQLite's file format, offsets 18 and 19).
  const copy = Uint8Array.from(bytes);
  copy.fill(1, 18, 20);
  try {
    using database = Database.deserialize(copy, true);
    const rows = database.query<{ blob: Uint8Array }, []>('SELECT blob FROM Packages').all();
    return rows.flatMap(({ blob }) => parseRpmHeader(Buffer.from(blob)) ?? []).filter(({ name }) => name !== KEY);
  } catch {
    return [];
  }
}

/** A header as the database has it: the counts of entries and of bytes, the entries, the bytes. */
export function parseRpmHeader(header: Buffer): BasePackage | undefined {
  try {
    const entries = header.readUInt32BE(0);
    const data = header.subarray(8 + entries * 16);
    const found = new Map<number, string>();
    const wanted: readonly number[] = Object.values(TAG);
    for (let i = 0; i < entries; i++) {
      const at = 8 + i * 16;
      const [tag, type, offset] = [header.readUInt32BE(at), header.readUInt32BE(at + 4), header.readUInt32BE(at + 8)];
      if (!wanted.includes(tag)) continue;
      if (type === TYPE.int32) found.set(tag, String(data.readUInt32BE(offset)));
      if (type === TYPE.string) found.set(tag, data.toString('utf8', offset, data.indexOf(0, offset)));
    }
    const [name, version, release] = [found.get(TAG.name), found.get(TAG.version), found.get(TAG.release)];
    if (!name || !version || !release) return undefined;
    const epoch = found.get(TAG.epoch);
    const architecture = found.get(TAG.architecture);
    return {
      type: 'rpm',
      name,
      version: `${epoch && epoch !== '0' ? `${epoch}:` : ''}${version}-${release}`,
      ...(architecture ? { architecture } : {}),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
