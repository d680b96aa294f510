import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Blob, ManifestFacts } from '../decide/world.ts';

/** What is remembered of a repository between runs. All of it can be read again, but for when something was seen first. */
export interface RepositoryNote {
  /** Every manifest that was seen: a digest always means the same bytes. */
  readonly manifests: Map<string, ManifestFacts>;
  /** When each was seen first, ms since 1970. */
  readonly firstSeen: Map<string, number>;
  /** What tags named when they were read last. */
  readonly tags: ReadonlyMap<string, string>;
  /** What was attached to a manifest when that was asked last. */
  readonly referrers: Map<string, { readonly at: number; readonly digests: readonly string[] }>;
}

const noteSchema = z.object({
  schemaVersion: z.literal(1),
  repository: z.string(),
  blobs: z.array(z.tuple([z.string(), z.number()])),
  /** Digest, size, first seen, children, places in `blobs`, subject, base. */
  manifests: z.array(
    z.tuple([z.string(), z.number(), z.number(), z.array(z.string()), z.array(z.number()), z.string(), z.string()]),
  ),
  tags: z.array(z.tuple([z.string(), z.string()])),
  referrers: z.array(z.tuple([z.string(), z.number(), z.array(z.string())])),
});
type Packed = z.infer<typeof noteSchema>;

/** The folder of what was seen of repositories. @param dir prune's own */
export const notesDir = (dir: string) => join(dir, 'repositories');

export function emptyNote(): RepositoryNote {
  return { manifests: new Map(), firstSeen: new Map(), tags: new Map(), referrers: new Map() };
}

/** What was noted of a repository. A file that is damaged, or another's, is none: then all is read, and all of it is new. */
export async function readNote(dir: string, repository: string): Promise<RepositoryNote> {
  try {
    const text = await readFile(pathOf(dir, repository), 'utf8');
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    if (text.slice(0, end) !== sumOf(body)) return emptyNote();
    const packed = noteSchema.parse(JSON.parse(body));
    return packed.repository === repository ? unpacked(packed) : emptyNote();
  } catch {
    return emptyNote();
  }
}

/** Whole or not at all. */
export async function writeNote(dir: string, repository: string, note: RepositoryNote): Promise<void> {
  const body = JSON.stringify(packedOf(repository, note));
  const path = pathOf(dir, repository);
  const temporary = `${path}.${randomUUID()}`;
  await mkdir(dir, { recursive: true });
  await writeFile(temporary, `${sumOf(body)}\n${body}`);
  await rename(temporary, path);
}

function pathOf(dir: string, repository: string): string {
  return join(dir, `${encodeURIComponent(repository)}.json`);
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function packedOf(repository: string, { manifests, firstSeen, tags, referrers }: RepositoryNote): Packed {
  const places = new Map<string, number>();
  const blobs: [string, number][] = [];
  const placeOf = ({ digest, size }: Blob) => {
    const known = places.get(digest);
    if (known !== undefined) return known;
    places.set(digest, blobs.length);
    return blobs.push([digest, size]) - 1;
  };
  return {
    schemaVersion: 1,
    repository,
    manifests: [...manifests.values()].map((facts) => [
      facts.digest,
      facts.size,
      firstSeen.get(facts.digest) ?? 0,
      [...facts.children],
      facts.blobs.map(placeOf),
      facts.subject ?? '',
      facts.base ?? '',
    ]),
    blobs,
    tags: [...tags],
    referrers: [...referrers].map(([digest, { at, digests }]) => [digest, at, [...digests]]),
  };
}

function unpacked({ manifests, blobs, tags, referrers }: Packed): RepositoryNote {
  const shared = blobs.map(([digest, size]): Blob => ({ digest, size }));
  const note = emptyNote();
  for (const [digest, size, first, children, places, subject, base] of manifests) {
    note.manifests.set(digest, {
      digest,
      size,
      children,
      blobs: places.flatMap((place) => shared[place] ?? []),
      ...(subject === '' ? {} : { subject }),
      ...(base === '' ? {} : { base }),
    });
    note.firstSeen.set(digest, first);
  }
  for (const [digest, at, digests] of referrers) note.referrers.set(digest, { at, digests });
  // The same string for the same digest: there are very many.
  const same = (digest: string) => note.manifests.get(digest)?.digest ?? digest;
  return { ...note, tags: new Map(tags.map(([tag, digest]) => [tag, same(digest)])) };
}
