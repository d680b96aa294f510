// Random registries, clusters and policies, from a seed.
import type { Blob, ManifestFacts, Policy, RepositoryState, Use, World } from '../../src/prune/index.ts';

/** mulberry32 */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const DAY = 86_400_000;
export const NOW = Date.UTC(2026, 10, 24);
let made = 0;
const digestOf = () => `sha256:${(++made).toString(16).padStart(64, '0')}`;

/** @param seed the same world for the same seed, but for the digests */
export function randomWorld(seed: number): World {
  const next = random(seed);
  const int = (below: number) => Math.floor(next() * below);
  const chance = (p: number) => next() < p;
  const pick = <T>(all: readonly T[]): T => all[int(all.length)] as T;
  const shared: Blob[] = Array.from({ length: 4 }, () => ({ digest: digestOf(), size: 1000 + int(1000) }));
  const policies = new Map<string, Policy>();
  const repositories: RepositoryState[] = [];
  const everything: ManifestFacts[] = [];
  for (let r = 0; r < 1 + int(3); r++) {
    const name = `${pick(['a.example', 'b.example'])}/ml/${'xyz'[r]}`;
    const manifests = new Map<string, ManifestFacts>();
    const tags = new Map<string, string>();
    const since = new Map<string, number>();
    const put = (facts: Omit<ManifestFacts, 'digest' | 'size'>): ManifestFacts => {
      const whole = { digest: digestOf(), size: 300 + int(300), ...facts };
      manifests.set(whole.digest, whole);
      everything.push(whole);
      return whole;
    };
    const own = () => ({ digest: digestOf(), size: int(500) });
    const image = () =>
      put({
        children: [],
        blobs: [own(), ...shared.filter(() => chance(0.7)), ...(chance(0.8) ? [own()] : [])],
        base: chance(0.3) && everything.length > 0 ? pick(everything).digest : undefined,
      });
    const roots: ManifestFacts[] = [];
    for (let i = 0; i < 1 + int(9); i++) {
      const kind = next();
      if (kind < 0.25) roots.push(image());
      else {
        const children = Array.from({ length: int(3) + 1 }, () =>
          chance(0.25) && manifests.size > 0 ? pick([...manifests.values()]) : image(),
        ).map(({ digest }) => digest);
        // One that was never copied here.
        if (chance(0.1)) children.push(digestOf());
        roots.push(put({ children, blobs: [] }));
      }
    }
    // Images of another repository, copied.
    if (repositories.length > 0 && chance(0.5)) {
      const other = pick(repositories);
      for (const facts of [...other.manifests.values()].filter(() => chance(0.3))) manifests.set(facts.digest, facts);
    }
    for (const [i, root] of roots.entries()) {
      if (chance(0.85))
        tags.set(pick([`${int(3)}.${int(5)}.${i}`, `v${i}`, `sha-${i}`, `release-${i}`, 'latest']), root.digest);
      if (chance(0.7)) since.set(root.digest, NOW - int(60) * DAY);
    }
    // What is attached: with a subject, in the list that clients keep, or by cosign's tag; sometimes to nothing.
    for (let i = 0; i < int(5); i++) {
      const subject = chance(0.15) ? digestOf() : pick([...manifests.keys()]);
      const one = put({ children: [], blobs: [own()], subject: chance(0.7) ? subject : undefined });
      if (chance(0.5)) since.set(one.digest, NOW - int(60) * DAY);
      const way = next();
      if (way < 0.4) tags.set(subject.replace(':', '-'), put({ children: [one.digest], blobs: [] }).digest);
      else if (way < 0.7) tags.set(`${subject.replace(':', '-')}.${pick(['sig', 'att', 'sbom'])}`, one.digest);
    }
    repositories.push({ name, storage: name.split('/')[0] as string, tags, manifests, since });
    if (chance(0.8))
      policies.set(name, {
        keepLast: 1 + int(4),
        graceMs: int(40) * DAY,
        keepTags: chance(0.3) ? ['release-*'] : [],
      });
  }
  const uses: Use[] = [];
  for (let i = 0; i < int(6); i++) {
    const code = pick(['RUNS', 'COULD_RUN', 'RELEASE', 'ROLLBACK', 'LOCKED'] as const);
    const repository = pick(repositories);
    const by = `use ${i}`;
    const tagged = [...repository.tags.keys()];
    if (chance(0.5) || tagged.length === 0) {
      const facts = pick(everything);
      uses.push({ code, by, digest: chance(0.2) ? (facts.blobs[0]?.digest ?? facts.digest) : facts.digest });
    } else uses.push({ code, by, tag: { repository: repository.name.slice(10), tag: pick(tagged) } });
  }
  return { now: NOW, repositories, uses, policies };
}
