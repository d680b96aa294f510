import { join } from 'node:path';
import { InlayError, isInlayError } from '../../error/index.ts';
import type { FlowStep, StepName, StepOutcome, TrainingOptions } from '../../release/index.ts';
import { checkOpened, openProject } from '../build-project.ts';
import { targetOf } from '../commands/push.ts';
import { describeFetched, fetchSource } from '../fetch-source.ts';
import { inlayHome } from '../home.ts';
import { AUTO, buildNext } from '../next-image.ts';
import { observe } from '../observe.ts';
import { formatBytes, type Output } from '../output.ts';
import { showTransfer, withRegistry } from '../registry.ts';
import { signInStore } from '../signing.ts';
import { deployStep } from './deploy-step.ts';
import { type Asked, type Facts, needed } from './facts.ts';
import type { ReleaseFlags } from './flags.ts';
import { goldenInImage } from './golden-step.ts';

/** How often a release whose version inlay decides is given another number, where others took it first. */
const TRIES = 3;

export interface Parts {
  readonly asked: Asked;
  readonly facts: Facts;
  readonly flags: ReleaseFlags;
  readonly output: Output;
}

/** The steps, each of which does its part and leaves in `facts` what those after it need. */
export function stepsOf(parts: Parts): FlowStep[] {
  const { asked, facts, flags, output } = parts;
  const step = (name: StepName, run: () => Promise<StepOutcome>): FlowStep => ({
    name,
    run: heeding(asked.signal, run),
  });
  return [
    ...(asked.config.source === undefined ? [] : [step('fetch', () => fetchStep(parts))]),
    ...(asked.config.training?.run === undefined ? [] : [step('train', () => trainStep(parts))]),
    step('check', () => checkStep(parts)),
    step('build', () => buildStep(parts)),
    step('golden', () => goldenInImage(needed(facts.built), flags.engine, flags, output)),
    step('sign', () => signStep(parts)),
    step('push', () => pushStep(parts)),
    step('deploy', () => deployStep(asked, facts, flags, output)),
    step('record', () => recordStep(parts)),
  ];
}

/** No step is begun after Ctrl-C. */
export function heeding(signal: AbortSignal, run: () => Promise<StepOutcome>): () => Promise<StepOutcome> {
  return async () => {
    if (signal.aborted) throw new InlayError('INTERRUPTED', 'the release was stopped');
    return run();
  };
}

export function trainingOptions({ asked, flags, output }: Parts): TrainingOptions {
  const show = output.status ?? ((line: string) => output.progress(`  ${line}`));
  return {
    dir: asked.dir,
    config: asked.config,
    mode: flags.retrain ? 'always' : flags.train ? 'auto' : 'never',
    stateDir: join(inlayHome(process.env), 'training'),
    env: process.env,
    now: () => new Date(),
    onLine: (line) => show(line),
    signal: asked.signal,
  };
}

async function fetchStep({ asked, flags }: Parts): Promise<StepOutcome> {
  const found = needed(await fetchSource(asked.dir, asked.config, flags));
  return { status: found.kept ? 'kept' : 'done', detail: describeFetched(found) };
}

async function trainStep(parts: Parts): Promise<StepOutcome> {
  const { train } = await import('../../release/index.ts');
  const trained = needed(await train(trainingOptions(parts)));
  parts.facts.trained = trained;
  return { status: trained.status, detail: trained.detail };
}

export async function checkStep({ asked, facts, flags, output }: Parts): Promise<StepOutcome> {
  facts.opened = await openProject(asked.dir, flags);
  const kept = await checkOpened(facts.opened, output);
  return kept
    ? { status: 'kept', detail: 'this contract was found good before' }
    : { status: 'done', detail: 'the model can be released' };
}

export async function buildStep({ facts, flags, output }: Parts): Promise<StepOutcome> {
  const { built, next } = await buildNext(needed(facts.opened), flags, output);
  facts.built = built;
  facts.next = next;
  const layers = built.image.platforms.flatMap((platform) => platform.layers);
  const made = layers.filter(({ reused }) => !reused);
  const bytes = made.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const detail = `${built.image.reference}, ${made.length === 0 ? 'every layer was there' : `new: ${made.map(({ kind }) => kind).join(', ')} (${formatBytes(bytes)})`}`;
  return { status: made.length === 0 ? 'kept' : 'done', detail };
}

async function signStep({ asked, facts }: Parts): Promise<StepOutcome> {
  if (asked.key === undefined)
    return { status: 'skipped', detail: 'no key is named (--sign); SBOM and provenance are attached unsigned' };
  const { layout, image } = needed(facts.built);
  const { key, signatures } = await signInStore(layout, image.reference, asked.key);
  const made = signatures.filter(({ digest }) => digest !== undefined).length;
  return { status: made > 0 ? 'done' : 'kept', detail: `key ${key}: ${made} new, ${signatures.length - made} there` };
}

async function pushStep(parts: Parts): Promise<StepOutcome> {
  const { asked, facts, flags, output } = parts;
  const taken: string[] = [];
  for (;;) {
    const { image } = needed(facts.built);
    try {
      const { detail, status } = await pushBuilt(parts);
      return {
        status,
        detail: taken.length === 0 ? detail : `${detail}; ${taken.join(', ')} was taken by another release meanwhile`,
      };
    } catch (error) {
      if (!isInlayError(error) || error.code !== 'TAG_EXISTS') throw error;
      if (asked.config.version !== AUTO)
        throw new InlayError('TAG_EXISTS', error.message, {
          hint: 'A version is never reused: give the model a new one, or write version: auto in inlay.yaml.',
          cause: error,
        });
      taken.push(needed(facts.next).version);
      if (taken.length >= TRIES)
        throw new InlayError(
          'VERSION_TAKEN',
          `${taken.join(', ')} of ${image.reference.replace(/:[^:/]*$/, '')} were taken by other releases, one after the other`,
          {
            hint: 'Run it again when they are through, or release one after the other.',
            cause: error,
          },
        );
      await buildStep(parts);
      await goldenInImage(needed(facts.built), flags.engine, flags, output);
      await signStep(parts);
    }
  }
}

async function pushBuilt({ facts, flags, output }: Parts): Promise<StepOutcome> {
  const { pushImage } = await import('../../registry/index.ts');
  const { image, layout } = needed(facts.built);
  const to = await targetOf(image.reference);
  const pushed = await withRegistry(flags, (registry, signal) =>
    pushImage({ registry, layout, source: image.reference, to, onProgress: showTransfer(output, 'pushed  '), signal }),
  );
  facts.sentBytes = (facts.sentBytes ?? 0) + pushed.sentBytes;
  const there = image.platforms
    .flatMap(({ layers }) => layers)
    .filter(({ digest }) => !pushed.uploaded.includes(digest));
  const bytes = there.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return pushed.uploaded.length === 0
    ? { status: 'kept', detail: 'all of it was there' }
    : { status: 'done', detail: `${formatBytes(pushed.sentBytes)} sent, ${formatBytes(bytes)} of layers were there` };
}

async function recordStep({ asked, flags, output }: Parts): Promise<StepOutcome> {
  if (asked.database === undefined)
    return {
      status: 'skipped',
      detail:
        'no ledger is named (--database, INLAY_DATABASE): the journal in the cluster has it, and a hub sees it by itself',
    };
  const { servers } = await observe(
    {
      context: flags.context === undefined ? [] : [flags.context],
      record: true,
      layerBytes: 2_000_000_000,
      insecureRegistry: flags.insecureRegistry,
      caFile: flags.caFile,
      progress: (text) => output.progress(text),
    },
    asked.database,
  );
  return { status: 'done', detail: `${servers.length} servers seen, written into the ledger` };
}
