/** Some lines of a terminal that are drawn anew in place; what is said meanwhile stands above them. */
export class Redraw {
  readonly #write: (text: string) => void;
  #lines: readonly string[] = [];

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  draw(lines: readonly string[]): void {
    if (lines.length === this.#lines.length && lines.every((line, i) => line === this.#lines[i])) return;
    this.#write(`${this.#up()}${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[0J`);
    this.#lines = lines;
  }

  /** A line that stays. */
  say(line: string): void {
    this.#write(`${this.#up()}\x1b[0J${line}\n${this.#lines.map((one) => `${one}\n`).join('')}`);
  }

  #up(): string {
    return this.#lines.length === 0 ? '' : `\x1b[${this.#lines.length}A\r`;
  }
}
