import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Bundle, PACKAGE } from './bundle.ts';
import { npmPackageSchema } from './npm-package.ts';

/** True where inlay runs from its sources; false in what `npm pack` makes, which has the bundles of dist/ in their place. */
export const FROM_SOURCES = import.meta.path.endsWith('.ts');

/** Where the package has its bundles, and what is told of them. */
export const DIST = join(PACKAGE, 'dist');

const noteSchema = z.object({
  schemaVersion: z.literal(1),
  /** In the order of the layer. */
  files: z.array(z.string().regex(/^[^/]+$/)),
  packages: z.array(npmPackageSchema),
});

export type PackedNote = z.infer<typeof noteSchema>;

/** A bundle that was made when inlay was packed: byte for byte what the sources give. @param name `server` or `cli` */
export async function readPacked(name: 'server' | 'cli'): Promise<Bundle & Pick<PackedNote, 'packages'>> {
  const note = noteSchema.parse(JSON.parse(await readFile(join(DIST, `${name}.json`), 'utf8')));
  const files = await Promise.all(
    note.files.map(async (file) => ({ name: file, content: new Uint8Array(await readFile(join(DIST, name, file))) })),
  );
  return { files, inputs: [], packages: note.packages };
}
