import { open } from 'node:fs/promises';
import { z } from 'zod';
import { type ElfVersions, elfVersions } from '../base/elf-versions.ts';
import type { TarEntry } from '../layer/tar.ts';

export const needsSchema = z
  .object({
    schemaVersion: z.literal(1),
    /** For each shared library the symbol versions that are asked of it; none where it only has to be there. */
    libraries: z.record(z.string(), z.array(z.string()).readonly()).readonly(),
  })
  .readonly();

/** What Bun and ONNX Runtime ask of the system below them. */
export type RuntimeNeeds = z.infer<typeof needsSchema>;

/** Reads the ELF files among the runtime's entries. What they have of one another is not asked of the system. */
export async function needsOf(entries: readonly TarEntry[]): Promise<RuntimeNeeds> {
  const own = new Set(entries.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)));
  const libraries = new Map<string, Set<string>>();
  for (const { content } of entries) {
    if (content === undefined || content instanceof Uint8Array) continue;
    const versions = await versionsOfFile(content.path);
    for (const name of [...(versions?.needed ?? []), ...Object.keys(versions?.wants ?? {})])
      if (!own.has(name))
        libraries.set(name, new Set([...(libraries.get(name) ?? []), ...(versions?.wants[name] ?? [])]));
  }
  const sorted = [...libraries].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    schemaVersion: 1,
    libraries: Object.fromEntries(sorted.map(([name, wanted]) => [name, [...wanted].sort()])),
  };
}

async function versionsOfFile(path: string): Promise<ElfVersions | undefined> {
  const file = await open(path);
  try {
    return await elfVersions(async (position, length) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    });
  } finally {
    await file.close();
  }
}
