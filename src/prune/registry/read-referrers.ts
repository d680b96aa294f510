import type { RepositoryStock } from '../../registry/index.ts';
import type { ManifestFacts } from '../decide/world.ts';
import type { RepositoryNote } from './note.ts';
import { factsOf, type Limit } from './read-repository.ts';

/** How long a plan believes what was listed; a sweep asks again. */
const FRESH_MS = 86_400_000;

/**
 * What is attached to manifests that are to go, and to that, and so on; where the registry has no API for it, tags tell, which are known.
 * @param fresh true to ask whatever was noted @returns manifests that were not known
 */
export async function readReferrers(
  stock: RepositoryStock,
  note: RepositoryNote,
  subjects: Iterable<string>,
  { limit, now, fresh }: { readonly limit: Limit; readonly now: number; readonly fresh: boolean },
): Promise<ManifestFacts[]> {
  const found: ManifestFacts[] = [];
  let api = true;
  const listed = async (digest: string): Promise<readonly string[]> => {
    const known = note.referrers.get(digest);
    if (known && !fresh && now - known.at < FRESH_MS) return known.digests;
    if (!api) return [];
    const answer = await limit(() => stock.referrers(digest));
    api &&= answer.api;
    if (!answer.api) return [];
    const digests = answer.referrers.map((one) => one.digest);
    note.referrers.set(digest, { at: now, digests });
    return digests;
  };
  const asked = new Set<string>();
  const follow = async (digest: string): Promise<void> => {
    if (asked.has(digest)) return;
    asked.add(digest);
    await Promise.all((await listed(digest)).map(follow));
    if (note.manifests.has(digest)) return;
    const manifest = await limit(() => stock.manifest(digest));
    if (!manifest) return;
    const facts = factsOf(manifest);
    note.manifests.set(digest, facts);
    note.firstSeen.set(digest, now);
    found.push(facts);
  };
  const [first, ...others] = subjects;
  // The first tells whether there is an API at all.
  if (first !== undefined) await follow(first);
  await Promise.all(others.map(follow));
  return found;
}
