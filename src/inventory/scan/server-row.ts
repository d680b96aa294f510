import { ROLE_LABEL } from '../../cluster/index.ts';
import { type ReleaseSummary, releaseOf } from '../cluster/releases.ts';
import type { SeenPod, SeenWorkload } from '../cluster/seen.ts';
import type { SeenServer } from '../cluster/view.ts';
import type { Looked } from '../image/catalogue.ts';
import type { ImageFacts } from '../image/facts.ts';
import { type RunningImage, runningImage } from '../image/image-id.ts';
import { isDeployedByInlay } from '../image/model-server.ts';
import type { ReleaseNote, ServerRow } from '../row.ts';
import { driftOf } from './drift.ts';
import { type ImagePart, imagePart } from './image-part.ts';

/** All that is known of a server, read before. */
export interface RowFacts {
  readonly context: string;
  readonly server: SeenServer;
  readonly image: RunningImage;
  readonly looked: Looked;
  /** What its tag names now: null where the tag is gone, undefined where that is not known. */
  readonly tagDigest: string | null | undefined;
}

/** The image that most of its pods run, the ready ones first; what the workload names where no node has it yet. */
export function imageOf({ workload, pods }: SeenServer): RunningImage {
  const counts = new Map<string, { readonly image: string; readonly imageID: string; weight: number }>();
  for (const pod of staying(pods)) {
    const container = containerOf(pod, workload);
    if (!container?.imageID) continue;
    const counted = counts.get(container.imageID) ?? { image: container.image, imageID: container.imageID, weight: 0 };
    counted.weight += pod.ready ? 1000 : 1;
    counts.set(container.imageID, counted);
  }
  const [most] = [...counts.values()].sort((a, b) => b.weight - a.weight);
  return most ? runningImage(most.image, most.imageID) : runningImage(workload.image, '');
}

/** How many different images its pods run. */
export function imagesRunning({ workload, pods }: SeenServer): number {
  return new Set(staying(pods).flatMap((pod) => containerOf(pod, workload)?.imageID || [])).size;
}

/** Pods that have been told to end are those of what ran before; where there are no others, all. */
function staying(pods: readonly SeenPod[]): readonly SeenPod[] {
  const some = pods.filter(({ ending }) => !ending);
  return some.length > 0 ? some : pods;
}

function containerOf(pod: SeenPod, workload: SeenWorkload) {
  return pod.containers.find(({ name }) => name === workload.container) ?? pod.containers[0];
}

export function serviceOf(workload: SeenWorkload): string {
  return (isDeployedByInlay(workload) ? workload.labels['app.kubernetes.io/name'] : undefined) ?? workload.name;
}

export function roleOf(workload: SeenWorkload): ServerRow['role'] {
  const role = workload.labels[ROLE_LABEL];
  return isDeployedByInlay(workload) && (role === 'stable' || role === 'canary') ? role : null;
}

/** A server as one row. */
export function serverRow({ context, server, image, looked, tagDigest }: RowFacts): ServerRow {
  const { workload, pods, journal } = server;
  const facts = 'facts' in looked ? looked.facts : undefined;
  const role = roleOf(workload);
  const release = releaseOf(journal, role);
  const rolledOut = rolledOutOf(server, role, release, facts);
  const unknown = facts ? unknownOf(facts) : { image: 'why' in looked ? looked.why : '' };
  return {
    context,
    namespace: workload.namespace,
    service: serviceOf(workload),
    role,
    workload: { kind: workload.kind, name: workload.name },
    replicas: { ready: pods.filter(({ ready }) => ready).length, desired: workload.desired },
    restarts: pods.reduce((sum, { restarts }) => sum + restarts, 0),
    weight: role === 'canary' ? (release?.weight ?? null) : null,
    ...(facts ? imagePart(facts) : promisedPart(workload)),
    owner:
      workload.owner ??
      workload.labels['inlay/owner'] ??
      workload.labels.owner ??
      workload.labels.team ??
      facts?.owner ??
      null,
    image: { reference: image.reference, digest: image.digest ?? null, index: facts?.digest ?? null },
    firstSeen: workload.createdAt ?? null,
    rolledOut,
    since: rolledOut ?? workload.createdAt ?? null,
    release: release ? noteOf(release) : null,
    drift: driftOf({ server, role, release, image, facts, tagDigest, images: imagesRunning(server) }),
    unknown,
  };
}

/** Of an image that could not be looked up: what inlay wrote beside it, where it is still the image that inlay applied. */
function promisedPart({ promised, applied, image }: SeenWorkload): ImagePart {
  const part = imagePart(undefined);
  if (!promised || applied !== image) return part;
  const { name, version, digest, task } = promised;
  return { ...part, model: { name, version, digest }, task: task ?? null };
}

/** The journal knows best, as long as what it released is what runs; then what the workload says; then the oldest pod of a kind that says nothing. */
function rolledOutOf(
  { workload, pods }: SeenServer,
  role: ServerRow['role'],
  release: ReleaseSummary | undefined,
  facts: ImageFacts | undefined,
): string | null {
  if (role === 'stable' && release?.stableFrom && facts?.digest === release.digest) return release.stableFrom;
  if (workload.rolledOut !== undefined) return workload.rolledOut;
  if (workload.kind === 'Deployment') return null;
  const oldest = pods.flatMap(({ createdAt }) => createdAt ?? []).sort();
  return oldest[0] ?? null;
}

function unknownOf(facts: ImageFacts): Record<string, string> {
  if (facts.builtBy === 'inlay') return {};
  const model = 'inlay did not build the image';
  return {
    model,
    ...(facts.packages === 'unread' ? { libraries: 'the layers were not read' } : {}),
    ...(facts.packages === 'part' ? { libraries: 'some layers are too large, or broken' } : {}),
  };
}

function noteOf({ number, actor, kind, state, verdict, reason, waitingSince }: ReleaseSummary): ReleaseNote {
  return { number, actor, kind, state, verdict, reason, waitingSince };
}
