import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/** What `make` makes, or what it made before under this path; a note that cannot be read is none. */
export async function noted<T>(path: string, schema: z.ZodType<T>, make: () => Promise<T>): Promise<T> {
  const known = await readFile(path, 'utf8')
    .then((text) => schema.safeParse(JSON.parse(text)))
    .catch(() => undefined);
  if (known?.success) return known.data;
  const made = await make();
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify(made));
  await rename(temporary, path);
  return made;
}
