import type { Finding } from './finding.ts';

const COMMAND = { error: 'error', warning: 'warning', info: 'notice' } as const;

/** A finding as an annotation of GitHub Actions (workflow commands; their escapes). */
export function githubAnnotation(finding: Finding): string {
  const escaped = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string) => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const file = finding.path ? `file=${property(finding.path)},` : '';
  return `::${COMMAND[finding.severity]} ${file}title=${property(finding.code)}::${escaped([finding.message, finding.hint].filter(Boolean).join('\n'))}`;
}
