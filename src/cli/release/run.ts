import { resolve } from 'node:path';
import { InlayError, isInlayError } from '../../error/index.ts';
import type { ReleaseSummary, StepName, StepReport } from '../../release/index.ts';
import { targetOf } from '../commands/push.ts';
import { databaseOf } from '../database.ts';
import { EXIT, exitOf, formatMs, type Output } from '../output.ts';
import { signingKey } from '../signing.ts';
import { lookAtService } from './deploy-step.ts';
import { dryRunSteps } from './dry-run.ts';
import type { Asked, Facts } from './facts.ts';
import type { ReleaseFlags } from './flags.ts';
import { stepsOf, trainingOptions } from './steps.ts';
import { summarize } from './summarize.ts';

/** Takes a project the whole way. @returns what happened, and the error of the step that failed @throws what is wrong before the first step */
export async function runRelease(
  dir: string,
  flags: ReleaseFlags,
  output: Output,
): Promise<{ readonly summary: ReleaseSummary; readonly error: unknown }> {
  const { runFlow, trainingIsOver } = await import('../../release/index.ts');
  const abort = new AbortController();
  const stop = () => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  try {
    const asked = await askedOf(dir, flags, abort.signal);
    const facts: Facts = {};
    const parts = { asked, facts, flags, output };
    const last = asked.until ?? 'record';
    if (await reaches(last, 'push')) await targetOf(asked.config.image ?? asked.config.name);
    if (await reaches(last, 'deploy')) await lookAtService(asked, facts, flags);
    const steps = flags.dryRun ? dryRunSteps(parts) : stepsOf(parts);
    const { steps: reports, error } = await runFlow({
      steps,
      until: asked.until,
      now: Date.now,
      onEnd: (report) => output.progress(describeStep(report)),
    });
    const summary = await summarize({ ...parts, steps: reports, error, dryRun: flags.dryRun === true });
    if (!flags.dryRun && asked.config.training?.run !== undefined && trainingEnds(error, asked.until))
      await trainingIsOver(trainingOptions(parts));
    return { summary, error };
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}

async function askedOf(dir: string, flags: ReleaseFlags, signal: AbortSignal): Promise<Asked> {
  const { durationMs, environmentConfig, readConfig } = await import('../../contract/index.ts');
  const { STEPS } = await import('../../release/index.ts');
  const until = STEPS.find((name) => name === flags.until);
  if (flags.until !== undefined && until === undefined)
    throw new InlayError('USAGE', `--until ${flags.until} is no step`, { hint: `The steps are ${STEPS.join(', ')}.` });
  if (!flags.train && flags.retrain) throw new InlayError('USAGE', '--no-train and --retrain exclude each other');
  const config = await readConfig(dir);
  const own = environmentConfig(config, flags.env);
  if (flags.bake !== undefined) durationMs(flags.bake);
  const { bake } = flags;
  return {
    dir: resolve(dir),
    config,
    own: bake === undefined ? own : { ...own, canary: { ...own.canary, bake } },
    until,
    key: await signingKey(flags.sign),
    database: flags.database === undefined && !process.env.INLAY_DATABASE ? undefined : databaseOf(flags.database),
    signal,
  };
}

async function reaches(last: StepName, step: StepName): Promise<boolean> {
  const { STEPS } = await import('../../release/index.ts');
  return STEPS.indexOf(step) <= STEPS.indexOf(last);
}

/** Answers that say nothing against the model: the next run goes on with it. */
const NOT_THE_MODEL = ['RELEASE_PAUSED', 'RELEASE_UNFINISHED', 'RELEASE_BUSY', 'TAG_EXISTS', 'VERSION_TAKEN'];

/** Whether what was trained has had its turn: it is released, or was found not to be good. */
function trainingEnds(error: unknown, until: StepName | undefined): boolean {
  if (error === undefined) return until === undefined || until === 'deploy' || until === 'record';
  return exitOf(error) === EXIT.no && !(isInlayError(error) && NOT_THE_MODEL.includes(error.code));
}

const MARKS: Readonly<Record<StepReport['status'], string>> = {
  done: '✓',
  kept: '=',
  skipped: '-',
  planned: '·',
  failed: '✗',
  'not reached': ' ',
};

export function describeStep({ name, status, tookMs, detail }: StepReport): string {
  const took = tookMs === undefined || status === 'skipped' || status === 'planned' ? '' : formatMs(tookMs);
  const [first = ''] = (detail ?? '').split('\n');
  return `${name.padEnd(8)}  ${MARKS[status]}  ${took.padEnd(8)}  ${status === 'not reached' ? 'not reached' : first}`.trimEnd();
}
