/** Tells once that an API server is away, however many requests wait for it, and once that it is back. */
export class Outage {
  readonly #tell: ((line: string) => void) | undefined;
  #away = false;

  constructor(tell: ((line: string) => void) | undefined) {
    this.#tell = tell;
  }

  /** @param seconds how much longer it is waited for */
  away(server: string, why: string, seconds: number): void {
    if (this.#away) return;
    this.#away = true;
    this.#tell?.(`the API server ${server} does not answer: ${why}; it is asked again for ${Math.round(seconds)} s`);
  }

  answered(server: string): void {
    if (!this.#away) return;
    this.#away = false;
    this.#tell?.(`the API server ${server} answers again`);
  }
}
