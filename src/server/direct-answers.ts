import type { MakeAnswer } from './answer.ts';
import { DirectAnswer } from './front/index.ts';

/** @param headers with the body's content-type */
export function directAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): DirectAnswer {
  const answer = new DirectAnswer(status, headers['content-type'] ?? 'application/octet-stream', body);
  for (const name in headers) if (name !== 'content-type') answer.set(name, headers[name] as string);
  return answer;
}

/** JSON as an answer of the front door. */
export const directJson: MakeAnswer<DirectAnswer> = (value, status, headers) =>
  directAnswer(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value));
