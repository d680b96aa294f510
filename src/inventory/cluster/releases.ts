import { z } from 'zod';
import {
  type Journal,
  parseJournal,
  type Release,
  SERVICE_LABEL,
  stableRelease,
  unfinished,
} from '../../cluster/index.ts';
import type { ReleaseNote } from '../row.ts';

/** A release as the inventory and the ledger keep it: without its numbers. */
export interface ReleaseSummary {
  readonly number: number;
  readonly kind: Release['kind'];
  readonly version: string;
  readonly reference: string;
  /** Of the index. */
  readonly digest: string;
  readonly actor: string;
  readonly startedAt: string;
  readonly state: Release['state'];
  readonly stableFrom: string | null;
  readonly stableTo: string | null;
  readonly endedAt: string | null;
  readonly outcome: string | null;
  readonly verdict: ReleaseNote['verdict'];
  /** Why it ended so; of a verdict that did not pass, the metrics that decided. */
  readonly reason: string | null;
  readonly weight: { readonly asked: number; readonly achieved: number | null } | null;
  /** Since when it waits for somebody to decide. */
  readonly waitingSince: string | null;
}

/** The releases of a service, from its journal. */
export interface SeenJournal {
  readonly namespace: string;
  readonly service: string;
  /** Numbers of the release that is stable, and of the one under way. */
  readonly stable: number | undefined;
  readonly going: number | undefined;
  /** Oldest first. */
  readonly releases: readonly ReleaseSummary[];
}

const PREFIX = 'inlay-';

/** A ConfigMap that is a journal; undefined for any other, and for one that this inlay cannot read. */
export const journalSeen: z.ZodType<SeenJournal | undefined> = z
  .object({
    metadata: z.object({
      name: z.string(),
      namespace: z.string(),
      labels: z.record(z.string(), z.string()).default({}),
    }),
    data: z.record(z.string(), z.string()).default({}),
    binaryData: z.record(z.string(), z.string()).default({}),
  })
  .transform(({ metadata, ...held }): SeenJournal | undefined => {
    const service = metadata.labels[SERVICE_LABEL] ?? metadata.name.replace(PREFIX, '');
    try {
      const journal = parseJournal(held, `${metadata.namespace}/${metadata.name}`);
      return journal && summaryOf(metadata.namespace, service, journal);
    } catch {
      return undefined;
    }
  });

export function summaryOf(namespace: string, service: string, journal: Journal): SeenJournal {
  return {
    namespace,
    service,
    stable: stableRelease(journal)?.number,
    going: unfinished(journal)?.number,
    releases: journal.releases.map(releaseSummary),
  };
}

function releaseSummary(release: Release): ReleaseSummary {
  const verdict = release.steps.findLast((step) => step.verdict !== undefined)?.verdict;
  const weight = release.steps.findLast((step) => step.weight !== undefined && step.status !== 'pending')?.weight;
  const failed = verdict?.reasons.filter(({ outcome }) => outcome !== 'pass').map(({ metric }) => metric);
  return {
    number: release.number,
    kind: release.kind,
    version: release.image.contract.version,
    reference: release.image.reference,
    digest: release.image.digest,
    actor: release.actor,
    startedAt: release.startedAt,
    state: release.state,
    stableFrom: release.stableFrom ?? null,
    stableTo: release.stableTo ?? null,
    endedAt: release.endedAt ?? null,
    outcome: release.outcome ?? null,
    verdict: verdict?.outcome ?? null,
    // What a paused one has to say of itself are all the figures that were looked at.
    reason:
      (release.state === 'paused' ? undefined : release.reason) ??
      (failed && failed.length > 0 ? `${verdict?.outcome}: ${failed.join(', ')}` : null),
    waitingSince: release.state === 'paused' ? pausedAt(release) : null,
    weight: weight ? { asked: weight.asked / 100, achieved: weight.achieved ?? null } : null,
  };
}

function pausedAt({ steps }: Release): string | null {
  const step = steps.find(({ status }) => status === 'paused');
  if (step?.startedAt === undefined) return null;
  return new Date(Date.parse(step.startedAt) + (step.tookMs ?? 0)).toISOString();
}

/** The release that a role runs by, if inlay made one. */
export function releaseOf(
  journal: SeenJournal | undefined,
  role: 'stable' | 'canary' | null,
): ReleaseSummary | undefined {
  const number =
    role === 'canary' ? journal?.going : role === 'stable' ? (journal?.stable ?? journal?.going) : undefined;
  return journal?.releases.find((release) => release.number === number);
}
