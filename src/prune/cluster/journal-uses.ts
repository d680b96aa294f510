import { z } from 'zod';
import { type Journal, parseJournal, previousRelease, stableRelease, unfinished } from '../../cluster/index.ts';
import { registryReference } from '../../registry/index.ts';
import type { Use } from '../decide/world.ts';

/** A ConfigMap of inlay's; undefined where it holds no journal. @throws JOURNAL_INVALID for one that this inlay cannot read */
export const journalSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().default('') }),
  data: z.record(z.string(), z.string()).default({}),
  binaryData: z.record(z.string(), z.string()).default({}),
});

export function journalOf({ metadata, ...held }: z.infer<typeof journalSchema>): Journal | undefined {
  return parseJournal(held, `${metadata.namespace}/${metadata.name}`);
}

/**
 * The images that a service's releases are about: what is stable, what is being released and what it would fall back to, and the images that
 * were released last, which can be gone back to.
 * @param keepLast how many of them
 */
export function journalUses(journal: Journal, at: string, keepLast: number): Use[] {
  const going = unfinished(journal);
  const [stable, previous] = [stableRelease(journal), previousRelease(journal)];
  const released = journal.releases.filter(({ outcome }) => outcome === 'released').toReversed();
  const window = [...new Map(released.map((release) => [release.image.digest, release])).values()].slice(0, keepLast);
  const uses: Use[] = [];
  const use = (code: 'RELEASE' | 'ROLLBACK', image: Named | undefined, by: string) => {
    if (image) uses.push({ code, digest: image.digest, path: pathOf(image), by: `${at} ${by}` });
  };
  if (stable) use('RELEASE', stable.image, `stable ${stable.image.contract.version}`);
  if (going) {
    use('RELEASE', going.image, `release ${going.number} under way`);
    use('RELEASE', going.before, `what release ${going.number} may fall back to`);
  }
  if (previous) use('ROLLBACK', previous.image, 'what inlay rollback goes back to');
  for (const { image, number } of window) use('ROLLBACK', image, `release ${number}`);
  return uses;
}

/** That an image was in a repository at a time, as its release proves. */
export interface Proof {
  readonly digest: string;
  /** The repository's path, without the host. */
  readonly path: string;
  /** Ms since 1970. */
  readonly at: number;
}

export function releaseProofs(journal: Journal): Proof[] {
  return journal.releases.flatMap(({ image, startedAt }) => {
    const path = pathOf(image);
    return path === undefined ? [] : [{ digest: image.digest, path, at: Date.parse(startedAt) }];
  });
}

interface Named {
  readonly reference: string;
  readonly digest: string;
}

function pathOf({ reference }: Named): string | undefined {
  return registryReference(reference)?.repository;
}
