import type { StepVerdict } from '../journal/index.ts';
import type { Role } from '../names.ts';
import type { Trouble } from '../observe/index.ts';
import {
  achievedShare,
  bakeFailsAlready,
  decide,
  describeVerdict,
  failsAlready,
  judge,
  judgeBake,
  type RoleWindow,
  type Verdict,
} from '../verdict/index.ts';
import type { Session, Workloads } from './session.ts';
import { StepFailed, StepPaused } from './step-failed.ts';
import { TroubleWatch } from './trouble-watch.ts';
import { deploymentIn } from './wait-ready.ts';
import { WatchedWindow } from './watched-window.ts';

/** Looks at a window, at most and at least ms apart. */
const MOST_MS = 10_000;
const LEAST_MS = 1000;
const LOOKS = 12;

/**
 * Watches the canary beside stable for the release's interval and judges it.
 * @param ready the pods as they were when the canary got ready
 * @throws StepFailed on a verdict against it, StepPaused on one that decides nothing
 */
export async function watchCanary(session: Session, index: number, ready: Workloads): Promise<void> {
  const { release } = session;
  const { deploy, image } = session.planOf(release);
  const stableMemory = session.journal.releases.findLast(({ stableFrom, stableTo }) => stableFrom && !stableTo)?.image
    .contract.server.memory;
  const { limits, intervalMs, onInconclusive } = deploy.canary;
  const window = await WatchedWindow.begin(session.pages, ready);
  const windows = () => ({
    stable: window.of('stable', stableMemory),
    canary: window.of('canary', image.contract.server.memory),
  });
  await watch(session, 'canary', window, intervalMs, () => {
    const roles = windows();
    return {
      early: failsAlready({ ...roles, limits }),
      verdict: judge({ ...roles, limits }),
      achieved: achievedShare(roles),
    };
  });
  const roles = windows();
  const verdict = failsAlready({ ...roles, limits }) ?? judge({ ...roles, limits });
  const achieved = achievedShare(roles);
  const weight = release.steps[index]?.weight;
  await session.changeStep(index, {
    verdict: journalled(verdict),
    ...(weight
      ? {
          weight: {
            ...session.release.steps[index]?.weight,
            asked: weight.asked,
            ...(achieved === undefined ? {} : { achieved }),
          },
        }
      : {}),
  });
  await session.change({ reference: roles.stable });
  conclude(verdict, decide(verdict, onInconclusive));
}

/**
 * Watches the new stable after its promotion beside what the old one did before.
 * @throws StepFailed on a verdict against it
 */
export async function watchBake(session: Session, index: number): Promise<void> {
  const { release } = session;
  const { deploy, image } = session.planOf(release);
  const { limits, bakeMs } = deploy.canary;
  const window = await WatchedWindow.begin(session.pages, await session.observe(undefined));
  const now = () => window.of('stable', image.contract.server.memory);
  const before: RoleWindow = release.reference ?? { ...now(), requests: 0 };
  await watch(session, 'stable', window, bakeMs, () => ({
    early: bakeFailsAlready({ before, now: now(), limits }),
    verdict: judgeBake({ before, now: now(), limits }),
    achieved: undefined,
  }));
  const verdict = bakeFailsAlready({ before, now: now(), limits }) ?? judgeBake({ before, now: now(), limits });
  await session.changeStep(index, { verdict: journalled(verdict) });
  // It has been promoted: what says neither yes nor no does not take it back.
  conclude(verdict, decide(verdict, 'pass'));
}

interface Look {
  readonly early: Verdict | undefined;
  readonly verdict: Verdict;
  readonly achieved: number | undefined;
}

/** Until the time is over, or a verdict is certain before. */
async function watch(
  session: Session,
  role: Role,
  window: WatchedWindow,
  intervalMs: number,
  look: () => Look,
): Promise<void> {
  const troubles = new TroubleWatch(session, session.release.image.reference);
  const begun = performance.now();
  const everyMs = Math.min(MOST_MS, Math.max(LEAST_MS, intervalMs / LOOKS));
  let waiting: string | undefined;
  for (let looked = begun; performance.now() - begun < intervalMs; ) {
    const workloads = await session.tick(waiting, true);
    deploymentIn(workloads[role]);
    const [trouble] = await troubles.look(workloads[role], isItsOwn);
    waiting = trouble && `${trouble.object}: ${trouble.message}`;
    if (performance.now() - looked < everyMs && performance.now() - begun < intervalMs) continue;
    looked = performance.now();
    await window.scrape(workloads);
    const { early, verdict, achieved } = look();
    const elapsedMs = Math.min(intervalMs, performance.now() - begun);
    session.tell({ kind: 'window', verdict: early ?? verdict, elapsedMs, intervalMs, achieved });
    if (early) return;
  }
}

/** What a pod does itself. That an autoscaler's further pods find no room or image is nothing that the model did. */
function isItsOwn({ cause }: Trouble): boolean {
  return cause === 'CRASH' || cause === 'OUT_OF_MEMORY' || cause === 'NOT_READY' || cause === 'ARCHITECTURE';
}

function conclude(verdict: Verdict, decision: ReturnType<typeof decide>): void {
  if (decision === 'back-out') throw new StepFailed(describeVerdict(verdict));
  if (decision === 'pause') throw new StepPaused(describeVerdict(verdict));
}

/** As the journal keeps it: plain, and its own. */
function journalled({ outcome, reasons }: Verdict): StepVerdict {
  return { outcome, reasons: reasons.map((reason) => ({ ...reason, sample: { ...reason.sample } })) };
}
