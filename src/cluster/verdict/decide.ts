import type { Verdict } from './verdict.ts';

export type Decision = 'go-on' | 'pause' | 'back-out';

/** What follows from a verdict: `onInconclusive` speaks only where the verdict does not. */
export function decide({ outcome }: Pick<Verdict, 'outcome'>, onInconclusive: 'pause' | 'fail' | 'pass'): Decision {
  if (outcome === 'pass') return 'go-on';
  if (outcome === 'fail') return 'back-out';
  return ({ pause: 'pause', fail: 'back-out', pass: 'go-on' } as const)[onInconclusive];
}
