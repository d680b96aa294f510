// Whatever registries hold, clusters run and policies say: nothing protected is ever swept, and what is left can be pulled. What is
// protected is said here a second time, as plainly as can be, and not by the code under test.
import { expect, test } from 'bun:test';
import {
  compareVersionTags,
  freed,
  isVersionTag,
  mark,
  type RepositoryState,
  sweepOrder,
  type World,
} from '../../src/prune/index.ts';
import { random, randomWorld } from './random-world.ts';

const WORLDS = 10_000;
const ATTACHED = /^sha256-[0-9a-f]{64}/;

/** Digests that can be reached from one by names alone. */
function reach(repository: RepositoryState, root: string): string[] {
  const facts = repository.manifests.get(root);
  return facts ? [root, ...facts.children.flatMap((child) => reach(repository, child))] : [];
}

/** What is to stay of a repository, one sentence of the promise after the other. */
function promised({ now, uses, policies }: World, repository: RepositoryState): Set<string> {
  const policy = policies.get(repository.name) ?? { keepLast: 3, graceMs: 30 * 86_400_000, keepTags: [] };
  const stay = new Set<string>();
  const keep = (digest: string | undefined) => {
    if (digest === undefined || !repository.manifests.has(digest)) return;
    for (const one of reach(repository, digest)) stay.add(one);
  };
  for (const use of uses) {
    for (const [digest, facts] of repository.manifests)
      if (use.digest === digest || facts.blobs.some((blob) => blob.digest === use.digest)) keep(digest);
    if (use.tag && repository.name.endsWith(`/${use.tag.repository}`)) keep(repository.tags.get(use.tag.tag));
  }
  const images = [...repository.tags].filter(([tag]) => !ATTACHED.test(tag));
  for (const [tag, digest] of images) {
    if (policy.keepTags.length > 0 && tag.startsWith('release-')) keep(digest);
    if (now - (repository.since.get(digest) ?? now) < policy.graceMs) keep(digest);
  }
  const versions = images.filter(([tag]) => isVersionTag(tag)).sort(([a], [b]) => compareVersionTags(b, a));
  for (const digest of [...new Set(versions.map(([, one]) => one))].slice(0, policy.keepLast)) keep(digest);
  for (let before = -1; before < stay.size; ) {
    before = stay.size;
    for (const [digest, { subject }] of repository.manifests)
      if (subject !== undefined && stay.has(subject)) keep(digest);
    for (const [tag, digest] of repository.tags)
      if (ATTACHED.test(tag) && stay.has(tag.slice(0, 71).replace('-', ':'))) keep(digest);
  }
  return stay;
}

test(`over ${WORLDS} random worlds nothing protected is swept, and what is left pulls, wherever the sweep stops`, () => {
  const wrong: string[] = [];
  let swept = 0;
  let kept = 0;
  for (let seed = 1; seed <= WORLDS && wrong.length < 5; seed++) {
    const world = randomWorld(seed);
    const marked = mark(world);
    const steps = marked.flatMap(sweepOrder);
    const stops = random(seed);
    for (const repository of world.repositories) {
      const own = steps.filter((step) => step.repository === repository.name);
      const gone = new Set(own.map(({ digest }) => digest));
      swept += gone.size;
      kept += repository.manifests.size - gone.size;
      if (gone.size !== own.length) wrong.push(`${seed}: a manifest goes twice`);
      for (const digest of promised(world, repository))
        if (gone.has(digest)) wrong.push(`${seed}: ${digest} of ${repository.name} is protected`);
      // Bases of what stays.
      for (const [digest, facts] of repository.manifests)
        if (!gone.has(digest) && facts.base !== undefined)
          for (const other of world.repositories)
            if (
              other.manifests.has(facts.base) &&
              isBaseOfKept(marked, digest) &&
              steps.some((step) => step.repository === other.name && step.digest === facts.base)
            )
              wrong.push(`${seed}: the base of ${digest} goes`);
      // At the end, and at some place before it: no index that is left names something that went.
      for (const stop of [own.length, Math.floor(stops() * (own.length + 1))]) {
        const done = new Set(own.slice(0, stop).map(({ digest }) => digest));
        for (const [digest, facts] of repository.manifests)
          for (const child of facts.children)
            if (!done.has(digest) && done.has(child))
              wrong.push(`${seed}: ${digest} lost ${child} after ${stop} steps`);
      }
    }
  }
  expect(wrong).toEqual([]);
  // Worlds in which nothing happened would prove nothing.
  expect(swept).toBeGreaterThan(WORLDS);
  expect(kept).toBeGreaterThan(WORLDS);
}, 120_000);

/** Whether an image that stays for its own sake has the manifest. */
function isBaseOfKept(marked: ReturnType<typeof mark>, digest: string): boolean {
  return marked.some(({ images }) =>
    images.some(
      ({ reasons, manifests }) => reasons.some(({ code }) => code !== 'ATTACHED') && manifests.includes(digest),
    ),
  );
}

test('what becomes free is what no manifest that stays names, each blob once for a storage', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const world = randomWorld(seed);
    const marked = mark(world);
    const { freeBytes, byImage } = freed(marked);
    const steps = marked.flatMap(sweepOrder);
    const sizes = (keep: (repository: string, digest: string) => boolean) => {
      const blobs = new Map<string, number>();
      for (const { name, storage, manifests } of world.repositories)
        for (const facts of manifests.values())
          if (keep(name, facts.digest))
            for (const { digest, size } of [facts, ...facts.blobs]) blobs.set(`${storage} ${digest}`, size);
      return [...blobs.values()].reduce((sum, size) => sum + size, 0);
    };
    const gone = new Set(steps.map(({ repository, digest }) => `${repository}@${digest}`));
    const before = sizes(() => true);
    const after = sizes((repository, digest) => !gone.has(`${repository}@${digest}`));
    expect([seed, freeBytes]).toEqual([seed, before - after]);
    const parts = [...byImage.values()].flatMap((images) => [...images.values()]);
    expect(parts.reduce((sum, size) => sum + size, 0)).toBe(freeBytes);
  }
}, 120_000);
