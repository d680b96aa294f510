import type { FlowStep, StepName, StepOutcome } from '../../release/index.ts';
import { deployDryRun } from './deploy-step.ts';
import { buildStep, checkStep, heeding, type Parts, trainingOptions } from './steps.ts';

/**
 * What a release would do. Nothing leaves this machine: check and build are done, into the local store, since what comes after them is
 * about the image; where training would come first, nothing more can be known.
 */
export function dryRunSteps(parts: Parts): FlowStep[] {
  const { asked, facts, flags, output } = parts;
  let trains = false;
  let fetches = false;
  const step = (name: StepName, run: () => Promise<StepOutcome>): FlowStep => ({
    name,
    run: heeding(asked.signal, run),
  });
  const planned = (detail: string): StepOutcome => ({ status: 'planned', detail });
  const unlessTrained = (run: () => Promise<StepOutcome>) => async () =>
    fetches
      ? planned('of the model that is fetched then')
      : trains
        ? planned('of the model that training will write')
        : run();
  return [
    ...(asked.config.source === undefined
      ? []
      : [
          step('fetch', async () => {
            fetches = true;
            return planned(asked.config.source ?? '');
          }),
        ]),
    ...(asked.config.training?.run === undefined
      ? []
      : [
          step('train', async () => {
            const { planOf } = await import('../../release/index.ts');
            const plan = await planOf(trainingOptions(parts));
            trains = plan?.train === true;
            if (!plan?.train) return { status: plan?.status ?? 'skipped', detail: plan?.why ?? '' };
            return planned(`${asked.config.training?.run}: ${plan.why}`);
          }),
        ]),
    step(
      'check',
      unlessTrained(() => checkStep(parts)),
    ),
    step(
      'build',
      unlessTrained(() => buildStep(parts)),
    ),
    step('golden', async () => planned('in the started image')),
    step('sign', async () =>
      asked.key ? planned('with the key') : { status: 'skipped', detail: 'no key is named (--sign)' },
    ),
    step('push', async () => planned(`to ${asked.config.image ?? 'no registry'}`)),
    step(
      'deploy',
      unlessTrained(() => deployDryRun(asked, facts, flags, output)),
    ),
    step('record', async () =>
      asked.database ? planned('into the ledger') : { status: 'skipped', detail: 'no ledger is named' },
    ),
  ];
}
