import { BODY_FILE, curlOf } from '../model/curl.ts';
import type { Outgoing } from '../model/outgoing.ts';
import { element } from './element.ts';

const MOST_RAW = 20_000;

/** The request as a curl line, and the answer as it came. */
export class RequestView {
  readonly node: HTMLElement;
  readonly #curl = element('code');
  readonly #copy = element('button', { type: 'button', class: 'quiet' }, 'Copy');
  readonly #download = element('button', { type: 'button', class: 'quiet' }, `Save ${BODY_FILE}`);
  readonly #copied = element('span', { class: 'note', role: 'status' });
  readonly #outcome = element('p', { class: 'outcome', role: 'status' }, 'not sent yet');
  readonly #raw = element('code', {}, ' ');
  #content: Outgoing['content'] = '';

  constructor() {
    const block = (label: string, code: HTMLElement) =>
      element('pre', { tabindex: 0, role: 'region', 'aria-label': label }, code);
    this.node = element(
      'section',
      { class: 'card', 'aria-labelledby': 'request-heading' },
      element(
        'div',
        { class: 'card-head' },
        element('h2', { id: 'request-heading' }, 'Request'),
        this.#copied,
        this.#download,
        this.#copy,
      ),
      block('The request as a curl line', this.#curl),
      element('div', { class: 'card-head' }, element('h2', {}, 'Answer'), this.#outcome),
      block('The answer as JSON', this.#raw),
    );
    this.#download.hidden = true;
    this.#copy.addEventListener('click', () => this.#copyLine());
    this.#download.addEventListener('click', () => this.#save());
  }

  /** Shows what sends a body. */
  request(url: string, body: Outgoing): void {
    const { line, fromFile } = curlOf(url, body);
    this.#content = body.content;
    this.#curl.textContent = line;
    this.#download.hidden = !fromFile;
    this.#copied.textContent = '';
  }

  answer(outcome: string, raw: string): void {
    this.#outcome.textContent = outcome;
    this.#raw.textContent =
      raw.length > MOST_RAW ? `${raw.slice(0, MOST_RAW)}… (${raw.length - MOST_RAW} more characters)` : raw || ' ';
  }

  async #copyLine(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#curl.textContent ?? '');
      this.#copied.textContent = 'copied';
    } catch {
      // Over plain HTTP from another machine there is no clipboard: select it, so that Ctrl+C takes it.
      getSelection()?.selectAllChildren(this.#curl);
      this.#copied.textContent = 'selected: copy it with Ctrl+C';
    }
  }

  #save(): void {
    const href = URL.createObjectURL(new Blob([this.#content], { type: 'application/json' }));
    element('a', { href, download: BODY_FILE }).click();
    URL.revokeObjectURL(href);
  }
}
