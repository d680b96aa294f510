import type { ReleaseEvent } from '../cluster/index.ts';
import { formatMs } from './output.ts';

type Step = Extract<ReleaseEvent, { kind: 'step' }>['step'];
type Roles = Extract<ReleaseEvent, { kind: 'observed' }>['roles'];

/** What a terminal shows of a release that goes on. */
export interface LiveRelease {
  readonly steps: readonly Step[];
  readonly roles?: Roles | undefined;
  readonly waiting?: string | undefined;
  /** The window that is watched now, in words: how far it is, what was measured. */
  readonly window?: { readonly far: string; readonly share: string; readonly verdict: string } | undefined;
}

/** The picture after an event. @param describe a window's numbers in words */
export function afterEvent(
  before: LiveRelease,
  event: ReleaseEvent,
  describe: (event: Extract<ReleaseEvent, { kind: 'window' }>) => LiveRelease['window'],
): LiveRelease {
  if (event.kind === 'observed') return { ...before, roles: event.roles, waiting: event.waiting };
  if (event.kind === 'window') return { ...before, window: describe(event) };
  if (event.kind === 'note') return before;
  const sameStep = runningOf(before.steps)?.name === runningOf(event.steps)?.name;
  return { ...before, steps: event.steps, ...(sameStep ? {} : { window: undefined, waiting: undefined }) };
}

/**
 * A line a step, and under the one that runs what it waits for or measures.
 *
 *     canary 20 %    ✓  41.2 s  18 % of requests
 *     canary 50 %    ▸  12 s of 20 s  47 % of requests  stable ●●●●  canary ●●●○
 *                       errors 0 % / 0 %   p99 2.1 / 2.0 ms   NaN 0   pass
 *     promote        ·
 *
 * @param columns of the terminal: no line is longer, or it could not be drawn anew
 */
export function liveLines({ steps, roles, waiting, window }: LiveRelease, columns: number): string[] {
  const width = Math.max(0, ...steps.map(({ name }) => name.length));
  const lines = steps.flatMap((step) => {
    const head = `${step.name.padEnd(width)}  ${MARKS[step.status]}  `;
    if (step !== runningOf(steps)) return [`${head}${ended(step)}`];
    const now = [window?.far, window?.share, roles && dots(roles)].filter((text) => text).join('  ');
    const under = [window?.verdict, waiting].flatMap((text) => (text ? text.split('\n') : []));
    return [`${head}${now}`, ...under.map((text) => `${' '.repeat(head.length)}${text}`)];
  });
  return lines.map((line) => line.trimEnd().slice(0, Math.max(20, columns - 1)));
}

const MARKS: Readonly<Record<Step['status'], string>> = {
  pending: '·',
  running: '▸',
  paused: '‖',
  done: '✓',
  failed: '✗',
  skipped: '-',
};

function runningOf(steps: readonly Step[]): Step | undefined {
  return steps.find(({ status }) => status === 'running');
}

function ended({ status, tookMs, weight, detail, verdict }: Step): string {
  if (status === 'pending') return '';
  const share = weight?.achieved === undefined ? '' : `${(weight.achieved * 100).toFixed(0)} % of requests`;
  const [first = ''] = (status === 'done' ? '' : (detail ?? '')).split('\n');
  return [tookMs === undefined ? '' : formatMs(tookMs), share, verdict?.outcome ?? '', first]
    .filter((text) => text !== '')
    .join('  ');
}

/** `stable ●●●○  canary ●`: a dot a pod, full where it is ready; numbers where they are many. */
function dots({ stable, canary }: Roles): string {
  const of = (name: string, { ready, desired }: Roles['stable']) =>
    desired > 12
      ? `${name} ${ready}/${desired}`
      : `${name} ${'●'.repeat(Math.min(ready, desired))}${'○'.repeat(Math.max(0, desired - ready))}`;
  return [of('stable', stable), ...(canary.desired > 0 ? [of('canary', canary)] : [])].join('  ');
}
