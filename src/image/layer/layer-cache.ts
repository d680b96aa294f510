import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { OciLayout } from '../oci/layout.ts';
import { descriptorSchema } from '../oci/schema.ts';
import type { Layer } from './layer.ts';

const noteSchema = z.object({ schemaVersion: z.literal(1), descriptor: descriptorSchema, diffId: z.string() });

/**
 * The layer that `make` makes, or the one that it made when it was last called with this key, if its blob is still there.
 * @param cacheDir where the notes lie, one a key @param key whatever the layer's bytes depend on
 */
export async function cachedLayer(
  layout: OciLayout,
  cacheDir: string,
  key: string,
  make: () => Promise<Layer>,
): Promise<Layer & { readonly reused: boolean }> {
  const known = await readNote(notePath(cacheDir, key));
  if (known && (await layout.holds(known.descriptor))) return { ...known, reused: true };
  const made = await make();
  await rememberLayer(cacheDir, key, made);
  return { descriptor: made.descriptor, diffId: made.diffId, reused: false };
}

/** Notes which layer a key stands for, for `cachedLayer`. */
export async function rememberLayer(cacheDir: string, key: string, { descriptor, diffId }: Layer): Promise<void> {
  const path = notePath(cacheDir, key);
  await mkdir(cacheDir, { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify({ schemaVersion: 1, descriptor, diffId }));
  await rename(temporary, path);
}

function notePath(cacheDir: string, key: string): string {
  return join(cacheDir, `${createHash('sha256').update(key).digest('hex')}.json`);
}

/** Whatever cannot be read counts as not there: the layer is made again. */
async function readNote(path: string): Promise<Layer | undefined> {
  try {
    const { descriptor, diffId } = noteSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return { descriptor, diffId };
  } catch {
    return undefined;
  }
}
