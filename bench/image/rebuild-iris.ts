import { join } from 'node:path';
import { median } from '../serve/median.ts';
import { build, INLAY, measure } from './command.ts';
import { retrain, writeIris } from './iris-project.ts';

const ROUNDS = 11;

/** The whole process: nothing changed, and a new model that `check` has not seen. */
export async function rebuildIris(dir: string): Promise<string[]> {
  const project = join(dir, 'iris');
  writeIris(project, '1');
  await build(project);
  const same: number[] = [];
  const changed: number[] = [];
  const start: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    start.push((await measure([INLAY, '--version'])).ms);
    same.push((await build(project)).ms);
    retrain(project, round);
    changed.push((await build(project)).ms);
  }
  const told = (values: number[]) => `${median(values).toFixed(0)} ms (${Math.min(...values).toFixed(0)} at best)`;
  return [
    `iris, nothing changed                  ${told(same)}`,
    `iris, only the model changed           ${told(changed)}      (to reach: 250 ms)`,
    `  of which inlay --version takes       ${told(start)}`,
  ];
}
