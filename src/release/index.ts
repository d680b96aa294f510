export { type FlowOptions, type FlowResult, type FlowStep, runFlow } from './flow.ts';
export { type ReplayedOverHttp, replayOverHttp } from './golden/replay-over-http.ts';
export { summaryMarkdown } from './markdown.ts';
export {
  FIRST_VERSION,
  highestVersion,
  type NextVersion,
  nextVersion,
  patchAfter,
  type VersionLevel,
} from './next-version.ts';
export { STEPS, type StepName, type StepOutcome, type StepReport, type StepStatus } from './step.ts';
export {
  type ImageNote,
  type Origins,
  outcomeOf,
  type ReleaseSummary,
  type RolloutStep,
  undoOf,
  type VerdictLine,
} from './summary.ts';
export {
  planTraining,
  type TrainingFacts,
  type TrainingMode,
  type TrainingPlan,
  type TrainingRecord,
} from './training/plan.ts';
export {
  keepTraining,
  planOf,
  type RanTraining,
  requirementsOf,
  runTraining,
  type Trained,
  type TrainingOptions,
  train,
  trainingIsOver,
} from './training/train.ts';
