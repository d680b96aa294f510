import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BASE_DIGEST, indexSchema, manifestSchema, OciLayout } from '../../image/index.ts';
import type { ManifestFacts, RepositoryState } from '../decide/world.ts';

/** The local store as registries are seen: a repository for each name, and what lies there beside them. */
export interface StoreState {
  readonly layout: OciLayout;
  readonly repositories: readonly RepositoryState[];
  /** Every blob, with when it was written or used last, ms since 1970. */
  readonly blobs: ReadonlyMap<string, { readonly size: number; readonly usedAt: number }>;
}

const DIGEST = /^[0-9a-f]{64}$/;

/** @param dir the folder of the store @throws IMAGE_INVALID for an index.json that cannot be read */
export async function readStore(dir: string): Promise<StoreState> {
  const layout = await OciLayout.open(dir);
  const blobs = new Map<string, { size: number; usedAt: number }>();
  for (const name of await readdir(join(dir, 'blobs', 'sha256'))) {
    if (!DIGEST.test(name)) continue;
    const found = await stat(join(dir, 'blobs', 'sha256', name)).catch(() => undefined);
    if (found) blobs.set(`sha256:${name}`, { size: found.size, usedAt: found.mtimeMs });
  }
  const names = new Map<string, Map<string, string>>();
  for (const { reference, descriptor } of await layout.references()) {
    const { name, tag } = partsOf(reference);
    names.set(name, (names.get(name) ?? new Map<string, string>()).set(tag, descriptor.digest));
  }
  const listed = (await layout.index()).manifests;
  // Each is read once, not for every name.
  const attached: ManifestFacts[] = [];
  for (const { artifactType, digest } of listed) {
    const facts = artifactType === undefined ? undefined : await factsOf(layout, digest);
    if (facts?.subject !== undefined) attached.push(facts);
  }
  const repositories: RepositoryState[] = [];
  for (const [name, tags] of names) {
    const manifests = new Map<string, ManifestFacts>();
    for (const digest of tags.values()) await reach(layout, digest, manifests);
    for (const facts of attached)
      if (facts.subject !== undefined && manifests.has(facts.subject)) manifests.set(facts.digest, facts);
    const since = new Map([...manifests.keys()].map((digest) => [digest, blobs.get(digest)?.usedAt ?? 0]));
    repositories.push({ name, storage: 'local', tags, manifests, since });
  }
  return { layout, repositories, blobs };
}

/** `iris` and `0.0.1`, of a name as `inlay build` gives it. */
export function partsOf(reference: string): { readonly name: string; readonly tag: string } {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/')
    ? { name: reference.slice(0, colon), tag: reference.slice(colon + 1) }
    : { name: reference, tag: '' };
}

/** What is missing of an image is not there to be kept. */
export async function reach(layout: OciLayout, digest: string, found: Map<string, ManifestFacts>): Promise<void> {
  if (found.has(digest)) return;
  const facts = await factsOf(layout, digest);
  if (!facts) return;
  found.set(digest, facts);
  for (const child of facts.children) await reach(layout, child, found);
}

async function factsOf(layout: OciLayout, digest: string): Promise<ManifestFacts | undefined> {
  let bytes: Uint8Array;
  let json: unknown;
  try {
    bytes = await layout.readBytes(digest);
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const size = bytes.byteLength;
  const manifest = manifestSchema.safeParse(json).data;
  if (manifest) {
    const { config, layers, subject, annotations } = manifest;
    const blobs = [config, ...layers].map((blob) => ({ digest: blob.digest, size: blob.size }));
    const base = annotations?.[BASE_DIGEST];
    return { digest, size, children: [], blobs, subject: subject?.digest, base };
  }
  const index = indexSchema.safeParse(json).data;
  return index && { digest, size, children: index.manifests.map((one) => one.digest), blobs: [] };
}
