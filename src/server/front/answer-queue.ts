import type { DirectRequest } from './direct-request.ts';

/** The requests of a connection whose answers are not sent, in the order in which they came. */
export class AnswerQueue {
  #first: DirectRequest | undefined = undefined;
  #last: DirectRequest | undefined = undefined;
  size = 0;
  /** An answer said that it is the last of its connection. */
  ending = false;

  /** Whether the request that came last wants its connection to end. */
  get isLast(): boolean {
    return this.#last?.isLast === true;
  }

  add(request: DirectRequest): void {
    if (this.#last) this.#last.next = request;
    else this.#first = request;
    this.#last = request;
    this.size++;
  }

  isFirst(request: DirectRequest): boolean {
    return request === this.#first;
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
    this.size = 0;
  }

  /**
   * Takes the answers that are ready, up to the first that is not. Only the very last request's can end the connection.
   * @param date a whole Date line @param draining whether answers end their connections
   */
  take(date: string, draining: boolean): string | Buffer {
    let text = '';
    let chunks: Buffer[] | undefined;
    for (let request = this.#first; request?.answer; request = this.#first) {
      const { answer, next } = request;
      const { body } = answer;
      this.ending = next === undefined && (answer.last || request.isLast || draining);
      const head = answer.head(date, Buffer.byteLength(body), this.ending);
      if (typeof body === 'string') text += head + body;
      else {
        chunks ??= [];
        chunks.push(Buffer.from(text + head), body);
        text = '';
      }
      this.#first = next;
      this.size--;
    }
    if (this.#first === undefined) this.#last = undefined;
    return chunks ? Buffer.concat([...chunks, Buffer.from(text)]) : text;
  }
}
