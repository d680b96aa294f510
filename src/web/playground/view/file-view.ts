import { FileProblem, type TableBody } from '../model/table-file.ts';
import { takeDrops } from './drop-zone.ts';
import { element } from './element.ts';

const MOST_BYTES = 64 * 2 ** 20;

export interface FileViewOptions {
  /** @throws FileProblem */
  readonly read: (text: string) => TableBody;
  /** A file was chosen, or taken away. */
  readonly changed: (body: TableBody | undefined) => void;
  readonly failed: (message: string) => void;
}

/** Chooses a file of rows, by its button or by dropping it. */
export class FileView {
  readonly node: HTMLElement;
  readonly #options: FileViewOptions;
  readonly #input = element('input', { type: 'file', id: 'file', accept: '.csv,.tsv,.txt,.json' });
  readonly #choose: HTMLElement;
  readonly #chosen = element('p', { class: 'chosen', role: 'status' });
  readonly #remove = element('button', { type: 'button', class: 'quiet' }, 'Remove the file');
  body: TableBody | undefined;

  constructor(options: FileViewOptions) {
    this.#options = options;
    this.#choose = element(
      'div',
      { class: 'choose' },
      element('label', { for: 'file' }, 'Many rows: drop a CSV or JSON file here, or choose one'),
      this.#input,
    );
    this.#remove.hidden = true;
    this.node = element('div', { class: 'file' }, this.#choose, this.#chosen, this.#remove);
    this.#input.addEventListener('change', () => this.#take(this.#input.files));
    this.#remove.addEventListener('click', () => {
      this.clear();
      this.#input.focus();
    });
  }

  /** Takes files that are dropped on an element too. */
  listen(zone: HTMLElement): void {
    takeDrops(zone, (files) => this.#take(files));
  }

  clear(): void {
    this.#input.value = '';
    this.#set(undefined, '');
  }

  async #take(files: FileList | null | undefined): Promise<void> {
    const file = files?.[0];
    if (!file) return;
    try {
      if (file.size > MOST_BYTES) throw new FileProblem(`The file has ${file.size} bytes: send it with curl.`);
      const body = this.#options.read(await file.text());
      const rows = body.rows === undefined ? '' : `: ${body.rows} row${body.rows === 1 ? '' : 's'}`;
      const ignored = body.ignored.length > 0 ? `; not sent: ${body.ignored.join(', ')}` : '';
      this.#set(body, `${file.name}${rows}${ignored}`);
      this.#remove.focus();
    } catch (error) {
      this.clear();
      this.#options.failed(error instanceof FileProblem ? error.message : 'The file cannot be read.');
    }
  }

  #set(body: TableBody | undefined, text: string): void {
    this.body = body;
    this.#chosen.textContent = text;
    this.#choose.hidden = body !== undefined;
    this.#remove.hidden = body === undefined;
    this.#options.changed(body);
  }
}
