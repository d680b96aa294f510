import type { Outgoing } from './outgoing.ts';

/** Beyond so many characters a body goes into a file of its own. */
const MOST_INLINE = 2000;

/** The file that a long body is kept in. */
export const BODY_FILE = 'body.json';

/** The curl line that sends a body, and whether it reads the body from BODY_FILE. */
export function curlOf(
  url: string,
  { contentType, content, fileName }: Outgoing,
): { readonly line: string; readonly fromFile: boolean } {
  const fromFile = typeof content === 'string' && content.length > MOST_INLINE;
  // What is typed in may begin with @ or have line ends, which -d takes for something else.
  const data =
    typeof content !== 'string' || fromFile
      ? `--data-binary ${quoteShell(`@${fileName ?? BODY_FILE}`)}`
      : `${contentType === 'application/json' ? '-d' : '--data-raw'} ${quoteShell(content)}`;
  return { line: `curl -sS ${quoteShell(url)} -H ${quoteShell(`content-type: ${contentType}`)} ${data}`, fromFile };
}

/** A word that a POSIX shell takes as it is (POSIX 2.2.2: nothing is special inside single quotes but the quote). */
export function quoteShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
