import type { Outgoing } from './model/outgoing.ts';
import type { Failure } from './view/form-shell.ts';

/** What became of a request. */
export interface Sent {
  /** From sending to the whole answer, milliseconds. */
  readonly tookMs: number;
  /** undefined where no answer came. */
  readonly status: number | undefined;
  readonly raw: string;
  readonly result: { readonly answer: unknown } | { readonly failure: Failure };
}

/** Sends a body to POST /predict; never throws. */
export async function send(url: string, { contentType, content }: Outgoing): Promise<Sent> {
  const start = performance.now();
  try {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body: content });
    const raw = await response.text();
    return { tookMs: performance.now() - start, status: response.status, raw, result: read(response.status, raw) };
  } catch {
    const failure = {
      code: 'NO_ANSWER',
      message: 'The server did not answer.',
      hint: 'Is it still running, and is the body within its limit?',
    };
    return { tookMs: performance.now() - start, status: undefined, raw: '', result: { failure } };
  }
}

function read(status: number, raw: string): Sent['result'] {
  try {
    const answer = JSON.parse(raw) as { error?: Failure } | null;
    if (status === 200) return { answer };
    if (answer?.error) return { failure: answer.error };
  } catch {}
  // A proxy's own page, for example.
  return { failure: { code: `HTTP ${status}`, message: 'The answer is not one of this server.' } };
}
