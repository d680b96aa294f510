import type { ReleaseSummary } from './summary.ts';

/** The summary as a page for a CI job: GitHub's flavour of Markdown, which GitLab reads too. */
export function summaryMarkdown(summary: ReleaseSummary): string {
  const { image, from, against, next, verdict, steps, rollout, undo, error } = summary;
  const place = [summary.environment, summary.namespace].filter(Boolean).join('/');
  const facts = [
    ...(image ? [['image', `\`${image.reference}\``]] : []),
    ...(next ? [['version', `${next.version} (${[next.level, ...next.why].join(': ')})`]] : []),
    ...(against ? [['against', `${against.version} \`${shortDigest(against.digest)}\``]] : []),
    ...(from ? [['model', `${from.model.file} \`${shortDigest(from.model.digest)}\``]] : []),
    ...Object.entries(from?.source ?? {}).map(([key, value]) => [`source ${key}`, value]),
    ...(from?.training ? [['training', `\`${from.training.command}\``]] : []),
    ...(from?.git ? [['commit', `${from.git.commit.slice(0, 12)}${from.git.dirty ? ', with changes' : ''}`]] : []),
    ...Object.entries(from?.metrics ?? {}).map(([name, value]) => [name, String(value)]),
    ...(summary.sentBytes === undefined ? [] : [['sent', `${summary.sentBytes} bytes`]]),
  ];
  return [
    `## ${summary.service}${image ? ` ${image.version}` : ''}: ${summary.outcome}${place === '' ? '' : `, ${place}`}`,
    ...(error ? ['', `**${error.code}**: ${cell(error.message)}`, ...(error.hint ? ['', cell(error.hint)] : [])] : []),
    ...(facts.length > 0 ? ['', ...tableOf(['what', 'is'], facts)] : []),
    '',
    ...tableOf(
      ['step', 'status', 'took', 'detail'],
      steps.map(({ name, status, tookMs, detail }) => [name, status, tookOf(tookMs), detail ?? '']),
    ),
    ...(rollout && rollout.length > 0
      ? [
          '',
          ...tableOf(
            ['in the cluster', 'status', 'took'],
            rollout.map((one) => [one.name, one.status, tookOf(one.tookMs)]),
          ),
        ]
      : []),
    ...(verdict
      ? [
          '',
          `Verdict: **${verdict.outcome}**`,
          '',
          ...tableOf(
            ['metric', 'outcome', 'measured'],
            verdict.reasons.map((one) => [one.metric, one.outcome, one.text]),
          ),
        ]
      : []),
    ...(undo ? ['', `Undo: \`${undo}\``] : []),
    '',
  ].join('\n');
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- ').join('|')}|`, ...rows.map(line)];
}

/** Text of others in a table: a bar would end the cell, and HTML would be drawn. */
function cell(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;');
}

function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

function tookOf(ms: number | undefined): string {
  return ms === undefined ? '' : ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms} ms`;
}
