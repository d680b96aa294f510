import type { Step } from '../journal/index.ts';
import type { Role } from '../names.ts';
import type { Verdict } from '../verdict/index.ts';

/** What a release tells while it goes on. */
export type ReleaseEvent =
  | { readonly kind: 'note'; readonly text: string }
  /** A step began, ended, or was skipped. */
  | { readonly kind: 'step'; readonly step: Step; readonly index: number; readonly steps: readonly Step[] }
  /** What runs, about once a second. */
  | {
      readonly kind: 'observed';
      readonly roles: Readonly<Record<Role, RoleSize>>;
      readonly waiting: string | undefined;
    }
  /** The numbers of a window that goes on. */
  | {
      readonly kind: 'window';
      readonly verdict: Verdict;
      readonly elapsedMs: number;
      readonly intervalMs: number;
      readonly achieved: number | undefined;
    };

export interface RoleSize {
  readonly ready: number;
  readonly desired: number;
}

export type OnEvent = (event: ReleaseEvent) => void;
