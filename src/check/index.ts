export type { AnsweringModel, AnswersDiff } from './answers-diff.ts';
export { type CheckReport, checkProject } from './check.ts';
export { type Change, type DiffVerdict, diffContracts, verdictOf } from './contract-diff.ts';
export { type DiffSide, diffModels, type ModelDiff } from './diff.ts';
export { acceptedCodes, CHECK_CODES, type CheckCode, type Fact, type Finding } from './finding.ts';
export { githubAnnotation } from './github.ts';
export { type Ask, type InitOptions, type InitResult, initProject } from './init.ts';
export { normalName, parseRequirements, parseUvLock } from './requirements.ts';
export { requireGood } from './verdict.ts';
