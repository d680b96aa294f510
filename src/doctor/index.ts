export { type Examination, examine } from './examine.ts';
export { type Examined, WORK, type Work } from './finding.ts';
