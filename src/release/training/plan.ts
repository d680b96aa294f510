import { z } from 'zod';

/** What is kept of a training, to tell whether it has to be done again. */
export const trainingRecordSchema = z.object({
  schemaVersion: z.literal(1),
  /** Of what training was made from. */
  key: z.string(),
  /** Digests of what it left, by path. */
  outputs: z.record(z.string(), z.string()),
  endedAt: z.string(),
  tookMs: z.number(),
  log: z.string(),
  /** The release that trained it, or one after it, came to its end, or was told that the model is not good. */
  over: z.boolean(),
});
export type TrainingRecord = z.infer<typeof trainingRecordSchema>;

export type TrainingMode = 'auto' | 'always' | 'never';

export interface TrainingFacts {
  readonly mode: TrainingMode;
  /** inlay.yaml says what training reads (training.inputs). */
  readonly inputsStated: boolean;
  readonly key: string;
  /** Digests of the files that training writes, as they lie there now. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly record: TrainingRecord | undefined;
}

export interface TrainingPlan {
  readonly train: boolean;
  readonly status: 'done' | 'kept' | 'skipped';
  readonly why: string;
}

/** Whether to train. Only who said what training reads can be spared one: data may lie anywhere. */
export function planTraining({ mode, inputsStated, key, outputs, record }: TrainingFacts): TrainingPlan {
  if (mode === 'never') return { train: false, status: 'skipped', why: '--no-train: the model as it lies there' };
  const run = (why: string): TrainingPlan => ({ train: true, status: 'done', why });
  if (mode === 'always') return run('--retrain');
  if (!record) return run('not trained here before');
  if (record.key !== key) return run('what it is made from has changed');
  if (!sameFiles(record.outputs, outputs)) return run('what the last training wrote is not there as it was');
  const kept = (why: string): TrainingPlan => ({ train: false, status: 'kept', why });
  if (inputsStated) return kept(`its inputs are those of ${record.endedAt}`);
  if (!record.over) return kept(`trained at ${record.endedAt} and not released yet: goes on with that`);
  return run('training.inputs does not say what it reads');
}

function sameFiles(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}
