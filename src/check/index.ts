export { type CheckReport, checkProject } from './check.ts';
export { CHECK_CODES, type CheckCode, type Fact, type Finding } from './finding.ts';
export { normalName, parseRequirements, parseUvLock } from './requirements.ts';
