export { type CheckReport, checkProject } from './check.ts';
export { CHECK_CODES, type CheckCode, type Fact, type Finding } from './finding.ts';
export { githubAnnotation } from './github.ts';
export { normalName, parseRequirements, parseUvLock } from './requirements.ts';
export { requireGood } from './verdict.ts';
