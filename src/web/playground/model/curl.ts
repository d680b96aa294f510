/** Beyond so many characters a body goes into a file of its own. */
const MOST_INLINE = 2000;

/** The file that a long body is kept in. */
export const BODY_FILE = 'body.json';

/** The curl line that sends a body, and whether it reads the body from BODY_FILE. */
export function curlOf(url: string, json: string): { readonly line: string; readonly fromFile: boolean } {
  const fromFile = json.length > MOST_INLINE;
  const data = fromFile ? `--data-binary @${BODY_FILE}` : `-d ${quoteShell(json)}`;
  return { line: `curl -sS ${quoteShell(url)} -H 'content-type: application/json' ${data}`, fromFile };
}

/** A word that a POSIX shell takes as it is (POSIX 2.2.2: nothing is special inside single quotes but the quote). */
export function quoteShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
