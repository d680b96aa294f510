export { type CheckReport, checkProject, type Fact, type Finding } from './check.ts';
