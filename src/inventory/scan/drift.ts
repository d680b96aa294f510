import type { ReleaseSummary } from '../cluster/releases.ts';
import type { SeenServer } from '../cluster/view.ts';
import { digestsOf, type ImageFacts } from '../image/facts.ts';
import type { RunningImage } from '../image/image-id.ts';
import type { Drift, ServerRow } from '../row.ts';

export interface DriftFacts {
  readonly server: SeenServer;
  readonly role: ServerRow['role'];
  readonly release: ReleaseSummary | undefined;
  readonly image: RunningImage;
  readonly facts: ImageFacts | undefined;
  readonly tagDigest: string | null | undefined;
  /** How many different images its pods run. */
  readonly images: number;
}

/** What is not as it should be: decided from what was read. */
export function driftOf(given: DriftFacts): Drift[] {
  return [notInlay(given), contractMissing(given), tagMoved(given), differsFromApplied(given), mixed(given)].filter(
    (drift) => drift !== undefined,
  );
}

function notInlay({ role, facts }: DriftFacts): Drift | undefined {
  if (role !== null || facts?.builtBy === 'inlay') return undefined;
  return { kind: 'not-inlay', message: 'inlay neither built nor deployed it' };
}

/** Deployed by inlay, from an image whose labels say nothing of a model. */
function contractMissing({ role, facts }: DriftFacts): Drift | undefined {
  if (role === null || !facts || facts.builtBy === 'inlay') return undefined;
  return { kind: 'contract-missing', message: 'its image says nothing of a model: inlay did not build it' };
}

function tagMoved({ image, facts, tagDigest }: DriftFacts): Drift | undefined {
  const tag = image.place?.tag;
  if (tag === undefined || tagDigest === undefined || image.digest === undefined) return undefined;
  if (tagDigest === null) return { kind: 'tag-moved', message: `tag ${tag} is gone from the registry` };
  const same = facts ? digestsOf(facts).includes(tagDigest) : tagDigest === image.digest;
  // Of an image that could not be looked up, a manifest's digest under an index' tag would look like a move.
  if (same || !facts) return undefined;
  return { kind: 'tag-moved', message: `tag ${tag} now names ${short(tagDigest)}, this runs ${short(facts.digest)}` };
}

/** Somebody has changed the image by hand: what inlay applied stands in its annotation, and in the journal. */
function differsFromApplied({ server, role, release, image, facts }: DriftFacts): Drift | undefined {
  const { workload } = server;
  if (role === null) return undefined;
  if (workload.applied !== undefined && workload.applied !== workload.image)
    return {
      kind: 'differs-from-applied',
      message: `it is to run ${workload.image}, inlay applied ${workload.applied}`,
    };
  // While another release goes on, stable is on its way to that one.
  const settled = release !== undefined && release.state === 'ended' && server.journal?.going === undefined;
  if (role === 'stable' && settled && facts && facts.digest !== release.digest)
    return {
      kind: 'differs-from-applied',
      message: `it runs ${short(facts.digest)}, release ${release.number} was ${short(release.digest)}`,
    };
  if (role === 'canary' && server.journal && server.journal.going === undefined)
    return { kind: 'differs-from-applied', message: `a canary of no release runs ${image.reference}` };
  return undefined;
}

/** A rollout that goes on has two images; one that says it is done has one. */
function mixed({ server, images }: DriftFacts): Drift | undefined {
  if (images < 2 || server.workload.rolledOut === undefined || !server.workload.current) return undefined;
  return { kind: 'mixed', message: `its pods run ${images} different images` };
}

function short(digest: string): string {
  return digest.slice(0, 19);
}
