import { isInlayError } from '../../error/index.ts';
import {
  holderOf,
  JournalStore,
  type Release,
  type Step,
  type StepVerdict,
  stableRelease,
  unfinished,
} from '../journal/index.ts';
import { type Kube, RESOURCES } from '../kube/index.ts';
import { RELEASES_LABEL, ROLES, type Role, releaseJobSelector } from '../names.ts';
import {
  foreignWriters,
  isReady,
  jobSchema,
  lastRestartOf,
  observeService,
  observeTrouble,
  podSchema,
  type Restart,
  restartsOf,
  type Trouble,
  type Workload,
} from '../observe/index.ts';
import { serviceNotFound } from './service-not-found.ts';

export interface ServiceQuery {
  readonly kube: Kube;
  readonly namespace: string;
  readonly service: string;
}

/** A role as it runs. */
export interface RoleStatus {
  readonly reference: string;
  readonly version: string;
  readonly replicas: { readonly ready: number; readonly desired: number };
  readonly restarts: number;
  readonly lastRestart?: Restart;
  /** RFC 3339; of stable since when. */
  readonly since?: string;
}

export interface ServiceStatus {
  readonly service: string;
  readonly namespace: string;
  /** `abandoned`: a release has not ended, and nobody works on it. */
  readonly phase: 'idle' | 'releasing' | 'paused' | 'backing-out' | 'abandoned';
  readonly stable?: RoleStatus;
  readonly canary?: RoleStatus & { readonly weight: { readonly asked: number; readonly achieved?: number } };
  readonly verdict?: StepVerdict;
  readonly steps: readonly Step[];
  /** Of the last release. */
  readonly release?: Pick<Release, 'number' | 'kind' | 'actor' | 'startedAt' | 'endedAt' | 'outcome' | 'reason'> & {
    readonly version: string;
  };
  /** Who works on it now. */
  readonly holder?: string;
  readonly troubles: readonly Trouble[];
  /** What is not as the journal says. */
  readonly drift: readonly string[];
}

/** What runs of a service, and where its release stands. @throws SERVICE_NOT_FOUND */
export async function statusOf({ kube, namespace, service }: ServiceQuery): Promise<ServiceStatus> {
  const [found, workloads, holder] = await Promise.all([
    new JournalStore(kube, namespace, service).read(),
    observeService(kube, namespace, service),
    holderOf(kube, namespace, service),
  ]);
  if (!found) throw await serviceNotFound(kube, namespace, service);
  const { journal } = found;
  const going = unfinished(journal);
  const job = !holder && going?.state === 'running' ? await releaseJobNow(kube, namespace, service) : undefined;
  const works = holder?.name ?? job;
  const last = journal.releases.at(-1);
  const stable = stableRelease(journal);
  const watched = [
    ...ROLES.map((role) => workloads[role]),
    ...(job ? [await releasersOf(kube, namespace, service)] : []),
  ];
  const troubles = (await Promise.all(watched.map((workload) => observeTrouble(kube, namespace, workload)))).flat();
  const role = (name: Role, release: Release | undefined): RoleStatus | undefined => {
    const { deployment, pods } = workloads[name];
    if (!deployment || !release) return undefined;
    const lastRestart = lastRestartOf(pods);
    return {
      reference: release.image.reference,
      version: release.image.contract.version,
      replicas: { ready: pods.filter(isReady).length, desired: deployment.spec.replicas },
      restarts: pods.reduce((sum, pod) => sum + restartsOf(pod), 0),
      ...(lastRestart ? { lastRestart } : {}),
      ...(name === 'stable' && release.stableFrom !== undefined ? { since: release.stableFrom } : {}),
    };
  };
  const stableNow = role('stable', stable ?? last);
  const canaryNow = role('canary', going ?? last);
  const step = last?.steps.findLast(({ weight }) => weight?.replicas !== undefined);
  const verdict = last?.steps.findLast((one) => one.verdict !== undefined)?.verdict;
  const running = workloads.stable.deployment?.spec.template.spec.containers[0]?.image;
  return {
    service,
    namespace,
    phase: !going
      ? 'idle'
      : going.state === 'paused'
        ? 'paused'
        : !works
          ? 'abandoned'
          : going.state === 'backing-out'
            ? 'backing-out'
            : 'releasing',
    ...(stableNow ? { stable: stableNow } : {}),
    ...(canaryNow
      ? {
          canary: {
            ...canaryNow,
            weight: {
              asked: (step?.weight?.asked ?? 0) / 100,
              ...(step?.weight?.achieved === undefined ? {} : { achieved: step.weight.achieved }),
            },
          },
        }
      : {}),
    ...(verdict ? { verdict } : {}),
    steps: last?.steps ?? [],
    ...(last ? { release: summaryOf(last) } : {}),
    ...(works ? { holder: works } : {}),
    troubles,
    drift: [
      ...(stable && !workloads.stable.deployment ? ['the stable Deployment is gone'] : []),
      ...(stable && running !== undefined && !going && !running.endsWith(stable.image.digest)
        ? [`stable runs ${running}, which inlay has not released`]
        : []),
      ...(!going && workloads.canary.deployment ? ['there is a canary of no release'] : []),
      ...ROLES.flatMap((name) => writtenByOthers(workloads[name])),
    ],
  };
}

const MOST_FIELDS = 3;

/** Who else has written to a Deployment that inlay applied, and what it means. */
function writtenByOthers({ deployment }: Workload): string[] {
  if (!deployment) return [];
  const { name, managedFields } = deployment.metadata;
  return foreignWriters(managedFields).map(({ manager, fields, gitOps }) => {
    const rest = fields.length - MOST_FIELDS;
    const which = `${fields.slice(0, MOST_FIELDS).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
    if (gitOps)
      return `Deployment ${name} is applied by ${manager} too${which === '' ? '' : ` (${which})`}: what Git has comes back. Release with inlay deploy --write, or take it out of Git`;
    return `${manager} has changed ${which} of Deployment ${name}; inlay deploy --force-conflicts takes it back`;
  });
}

/** The Job that goes on with a release, while its pod begins; nothing where this login may not see Jobs. */
async function releaseJobNow(kube: Kube, namespace: string, service: string): Promise<string | undefined> {
  try {
    const jobs = await kube.list(jobSchema, RESOURCES.job, { namespace, labels: releaseJobSelector(service) });
    const job = jobs.find(
      ({ status }) => !status.conditions.some(({ type, status }) => ENDED.has(type) && status === 'True'),
    );
    return job && `Job ${job.metadata.name}`;
  } catch (error) {
    if (isInlayError(error) && error.code === 'CLUSTER_FORBIDDEN') return undefined;
    throw error;
  }
}

/** The pods of the Job that are yet to begin: what keeps them from it keeps the release. */
async function releasersOf(
  kube: Kube,
  namespace: string,
  service: string,
): Promise<Pick<Workload, 'deployment' | 'pods'>> {
  const pods = await kube.list(podSchema, RESOURCES.pod, { namespace, labels: `${RELEASES_LABEL}=${service}` });
  return { deployment: undefined, pods: pods.filter(({ status }) => status.phase === 'Pending') };
}

const ENDED = new Set(['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet']);

function summaryOf(release: Release): NonNullable<ServiceStatus['release']> {
  const { number, kind, actor, startedAt, endedAt, outcome, reason, image } = release;
  return {
    number,
    kind,
    actor,
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(reason === undefined ? {} : { reason }),
    version: image.contract.version,
  };
}

export interface HistoryEntry {
  readonly version: string;
  readonly reference: string;
  readonly kind: Release['kind'];
  readonly actor: string;
  /** When it began; when another took its place, or it ended without having been stable. */
  readonly from: string;
  readonly to?: string;
  readonly outcome: string;
  readonly reason?: string;
}

/** The releases of a service, newest first. @throws SERVICE_NOT_FOUND */
export async function historyOf({ kube, namespace, service }: ServiceQuery): Promise<HistoryEntry[]> {
  const found = await new JournalStore(kube, namespace, service).read();
  if (!found) throw await serviceNotFound(kube, namespace, service);
  return found.journal.releases.toReversed().map((release): HistoryEntry => {
    const to = release.stableFrom === undefined ? release.endedAt : release.stableTo;
    return {
      version: release.image.contract.version,
      reference: release.image.reference,
      kind: release.kind,
      actor: release.actor,
      from: release.stableFrom ?? release.startedAt,
      ...(to === undefined ? {} : { to }),
      outcome: release.outcome ?? release.state,
      ...(release.reason === undefined ? {} : { reason: release.reason }),
    };
  });
}
