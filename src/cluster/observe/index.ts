export { followLog, type LogOptions, podLog } from './log.ts';
export {
  anyObjectSchema,
  autoscalerSchema,
  type Deployment,
  deploymentSchema,
  isReady,
  jobSchema,
  lastRestartOf,
  nodeSchema,
  type Pod,
  podSchema,
  type Quota,
  quotaSchema,
  type Restart,
  restartsOf,
} from './objects.ts';
export { observeService, observeTrouble, type Workload } from './observe.ts';
export { type Progress, progressOf } from './progress.ts';
export { type Trouble, troubleOf } from './trouble.ts';
export { foreignWriters, hasField } from './writers.ts';
