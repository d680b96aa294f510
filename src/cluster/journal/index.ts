export {
  emptyJournal,
  previousRelease,
  releaseBefore,
  stableRelease,
  unfinished,
  withLast,
  withRelease,
  withStep,
} from './journal.ts';
export { HeldLease, type Holder, holderOf } from './lease.ts';
export type { Journal, Release, Request, Step, StepKind, StepVerdict } from './schema.ts';
export { JournalStore, parseJournal } from './store.ts';
