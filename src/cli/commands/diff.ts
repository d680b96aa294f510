import type { Command } from '@commander-js/extra-typings';
import type { ProjectDiff } from '../../check/index.ts';
import { createOutput, EXIT, table } from '../output.ts';

export function addDiff(program: Command): void {
  program
    .command('diff')
    .summary('what changes between two models')
    .description(
      'Compares two projects: contract by rule, and how both models answer the golden cases. Exits 1 when the change is breaking.',
    )
    .argument('<from>', 'the folder of what is served now')
    .argument('<to>', 'the folder of what would replace it')
    .option('--json', 'print one JSON document')
    .action(async (from, to, options) => {
      const { diffProjects } = await import('../../check/index.ts');
      const diff = await diffProjects(from, to);
      createOutput(options.json === true).result(describe(diff), diff);
      if (diff.verdict === 'breaking') process.exitCode = EXIT.no;
    });
}

function describe({ verdict, changes, answers }: ProjectDiff): string {
  const rows = changes.map((change) => [change.what, change.from ?? '-', change.to ?? '-', change.verdict]);
  const answered = answers
    ? [
        `answers   ${(answers.agreement * 100).toFixed(1)} % of ${answers.rows} golden rows agree${answers.labelFlips === undefined ? '' : `, ${answers.labelFlips} labels flip`}, largest shift ${answers.largestShift.toPrecision(3)} (row ${answers.largestShiftRow})`,
      ]
    : ['answers   not compared: there are no golden cases that both models take'];
  return [
    ...(rows.length > 0 ? [table([['what', 'from', 'to', 'verdict'], ...rows])] : []),
    ...answered,
    `${verdict}`,
  ].join('\n');
}
