export { adopt, type ResolveImage } from './adopt.ts';
export { abort, type DecisionOptions, promote, rollback } from './commands.ts';
export { type Deployed, type DeployOptions, deploy, unsaid } from './deploy.ts';
export { formatDuration } from './duration.ts';
export type { OnEvent, ReleaseEvent, RoleSize } from './events.ts';
export { type JudgedNow, type JudgeOptions, judgeNow } from './judge-now.ts';
export type { FieldChange } from './object-diff.ts';
export { type ObjectChange, type Preflight, type PreflightFinding, preflight } from './preflight.ts';
export { resume } from './resume.ts';
export type { SessionOptions } from './session.ts';
export {
  type HistoryEntry,
  historyOf,
  type RoleStatus,
  type ServiceQuery,
  type ServiceStatus,
  statusOf,
} from './status.ts';
