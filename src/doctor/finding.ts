/** What inlay does, for which a machine may lack something. */
export const WORK = ['build', 'push', 'sign', 'run', 'deploy'] as const;
export type Work = (typeof WORK)[number];

/** One thing of a machine that was looked at. */
export interface Examined {
  readonly name: string;
  readonly neededFor: readonly Work[];
  /** `missing`: some of that work cannot be done here. `warning`: it can, otherwise than it might. */
  readonly state: 'ok' | 'warning' | 'missing';
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

export type Env = Readonly<Record<string, string | undefined>>;
