import type { Command } from '@commander-js/extra-typings';
import type { Finding } from '../../check/index.ts';
import { offerOnnxRuntime } from '../onnx-runtime.ts';
import { createOutput, EXIT, table } from '../output.ts';

export function addCheck(program: Command): void {
  program
    .command('check')
    .summary('find what would break in production')
    .description(
      'Checks the model, its contract and labels against the runtime that will serve them. Exits 1 when the model cannot be released.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--json', 'print one JSON document')
    .option('--github', 'also print annotations for GitHub Actions')
    .action(async (dir, options) => {
      const { checkProject, githubAnnotation } = await import('../../check/index.ts');
      const output = createOutput(options.json === true);
      await offerOnnxRuntime(output);
      const report = await checkProject(dir);
      output.result(describe(report.facts, report.findings), { ok: report.ok, findings: report.findings });
      if (options.github) for (const finding of report.findings) process.stdout.write(`${githubAnnotation(finding)}\n`);
      if (!report.ok) process.exitCode = EXIT.no;
    });
}

function describe(
  facts: readonly { readonly topic: string; readonly text: string }[],
  findings: readonly Finding[],
): string {
  const good = table(facts.map((fact) => [fact.topic, fact.text, 'ok']));
  const bad = findings.map((f) => `${f.severity} ${f.code}: ${f.message}${f.hint ? `\n  ${f.hint}` : ''}`);
  const errors = findings.filter((f) => f.severity === 'error').length;
  const warnings = findings.filter((f) => f.severity === 'warning').length;
  const warned = warnings === 0 ? '' : `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}. `;
  const end =
    errors > 0
      ? `${errors} ${errors === 1 ? 'error' : 'errors'}. The model cannot be released.`
      : `${warned}The model can be released.`;
  return [good, ...bad, end].filter((part) => part !== '').join('\n');
}
