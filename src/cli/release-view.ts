import type { OnEvent, ReleaseEvent, ServiceStatus } from '../cluster/index.ts';
import { afterEvent, type LiveRelease, liveLines } from './live-release.ts';
import { formatMs, type Output, table } from './output.ts';
import { Redraw } from './redraw.ts';

/** Tells how a release goes on: in a terminal by a picture that is drawn anew, elsewhere by a line for whatever is new. */
export async function releaseView(output: Output): Promise<OnEvent> {
  return output.status ? liveView() : plainView(output);
}

async function liveView(): Promise<OnEvent> {
  const { describeVerdict } = await import('../cluster/index.ts');
  const { stderr } = process;
  const screen = new Redraw((text) => void stderr.write(text));
  let picture: LiveRelease = { steps: [] };
  const far = await farOf();
  return (event) => {
    if (event.kind === 'note') screen.say(event.text);
    picture = afterEvent(picture, event, ({ verdict, ...window }) => ({
      far: far(window),
      share: shareOf(window.achieved),
      verdict: describeVerdict(verdict),
    }));
    screen.draw(liveLines(picture, stderr.columns || 80));
  };
}

async function farOf(): Promise<(window: { readonly elapsedMs: number; readonly intervalMs: number }) => string> {
  const { formatDuration } = await import('../cluster/index.ts');
  return ({ elapsedMs, intervalMs }) =>
    `${formatDuration(Math.round(elapsedMs / 1000) * 1000)} of ${formatDuration(intervalMs)}`;
}

function shareOf(achieved: number | undefined): string {
  return achieved === undefined ? '' : `${(achieved * 100).toFixed(0)} % of requests`;
}

async function plainView(output: Output): Promise<OnEvent> {
  const { describeVerdict } = await import('../cluster/index.ts');
  const far = await farOf();
  let waiting: string | undefined;
  let windowAt = 0;
  let pods = '';
  const line = (topic: string, text: string) => output.progress(`${topic.padEnd(16)}  ${text}`);
  const onEvent = (event: ReleaseEvent): void => {
    if (event.kind === 'note') line('', event.text);
    else if (event.kind === 'step') {
      const { step } = event;
      if (
        step.status === 'running' &&
        step.tookMs === undefined &&
        step.verdict === undefined &&
        step.weight?.replicas === undefined
      )
        line(step.name, 'begins');
      if (step.status === 'done' || step.status === 'failed')
        line(
          step.name,
          `${step.status}${step.tookMs === undefined ? '' : ` in ${formatMs(step.tookMs)}`}${step.detail ? `: ${step.detail}` : ''}`,
        );
      windowAt = 0;
    } else if (event.kind === 'observed') {
      const { stable, canary } = event.roles;
      const now = `stable ${stable.ready}/${stable.desired}${canary.desired > 0 ? `, canary ${canary.ready}/${canary.desired}` : ''}`;
      if (now !== pods || (event.waiting !== undefined && event.waiting !== waiting))
        line('', `${now}${event.waiting === undefined ? '' : `: ${event.waiting}`}`);
      pods = now;
      waiting = event.waiting;
    } else if (performance.now() - windowAt > 15_000 || event.verdict.outcome === 'fail') {
      windowAt = performance.now();
      const numbers = [far(event), shareOf(event.achieved), describeVerdict(event.verdict)];
      line('', numbers.filter((text) => text !== '').join('   '));
    }
  };
  return onEvent;
}

/** A service's state for people. */
export async function describeStatus(status: ServiceStatus): Promise<string> {
  const { describeReason } = await import('../cluster/index.ts');
  const { stable, canary, release, troubles } = status;
  const roles = [
    ...(stable
      ? [
          [
            'stable',
            stable.version,
            `${stable.replicas.ready}/${stable.replicas.desired} ready`,
            restartsOf(stable),
            stable.since ? `since ${ago(stable.since)}` : '',
          ],
        ]
      : []),
    ...(canary
      ? [
          [
            'canary',
            canary.version,
            `${canary.replicas.ready}/${canary.replicas.desired} ready`,
            restartsOf(canary),
            `${percent(canary.weight.asked)} asked${canary.weight.achieved === undefined ? '' : `, ${percent(canary.weight.achieved)} of requests`}`,
          ],
        ]
      : []),
  ];
  const steps = status.phase === 'idle' && release?.outcome === 'released' ? [] : status.steps;
  const reasons =
    status.verdict && status.phase !== 'idle'
      ? status.verdict.reasons.map((reason) => describeReason(reason as never))
      : [];
  const why = (release?.reason ?? '').split('\n').filter((line) => line !== '' && !reasons.includes(line));
  return [
    `${status.service} in ${status.namespace}: ${PHASES[status.phase]}${status.holder ? `, ${status.holder} works on it` : ''}`,
    ...(roles.length > 0 ? [table(roles)] : ['nothing runs']),
    ...(steps.length > 0
      ? [
          ...lastOf(status),
          table(
            steps.map((step) => [
              step.name,
              step.status,
              step.tookMs === undefined ? '' : formatMs(step.tookMs),
              step.verdict?.outcome ?? step.detail ?? '',
            ]),
          ),
        ]
      : []),
    ...reasons.map((reason) => `  ${reason}`),
    ...(why.length > 0 && (status.phase !== 'idle' || release?.outcome !== 'released')
      ? [`reason: ${why.join('\n')}`]
      : []),
    ...troubles.map(({ object, cause, message, hint }) => `${cause} ${object}: ${message}\n  ${hint}`),
    ...status.drift.map((text) => `drift: ${text}`),
    ...nextOf(status),
  ].join('\n');
}

function restartsOf({ restarts, lastRestart }: NonNullable<ServiceStatus['stable']>): string {
  if (!lastRestart) return `${restarts} restarts`;
  const { reason, exitCode, at } = lastRestart;
  return `${restarts} restart${restarts === 1 ? '' : 's'}, the last ${ago(at)} (${reason || 'ended'}, exit code ${exitCode})`;
}

const PHASES: Readonly<Record<ServiceStatus['phase'], string>> = {
  idle: 'no release under way',
  releasing: 'a release is under way',
  paused: 'a canary waits for a decision',
  'backing-out': 'a release is being backed out',
  abandoned: 'a release has not ended, and whoever worked on it is gone',
};

/** Whose steps they are, where that release is over. */
function lastOf({ phase, release }: ServiceStatus): string[] {
  if (phase !== 'idle' || release?.outcome === undefined) return [];
  const when = release.endedAt === undefined ? '' : ` ${ago(release.endedAt)}`;
  return [`the last release, ${release.version}, ${OUTCOMES[release.outcome]}${when}:`];
}

const OUTCOMES: Readonly<Record<NonNullable<NonNullable<ServiceStatus['release']>['outcome']>, string>> = {
  released: 'was released',
  'backed-out': 'was backed out',
  aborted: 'was aborted',
  failed: 'failed',
};

function nextOf({ phase, service }: ServiceStatus): string[] {
  if (phase === 'paused') return [`Next: inlay promote ${service}, or inlay abort ${service}`];
  if (phase === 'abandoned') return [`Next: inlay resume ${service} goes on, inlay abort ${service} backs out`];
  return [];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** `3 min ago`, `412 days ago`. */
export function ago(time: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}
