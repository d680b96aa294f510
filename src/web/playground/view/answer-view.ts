import { type Answer, type Bar, type Shown, summaryOf } from '../model/answer-model.ts';
import type { PageModel } from '../model/page-model.ts';
import { element } from './element.ts';

/** The prediction: bars, a number, values or a table of rows. */
export class AnswerView {
  readonly node: HTMLElement;
  readonly #headline = element('p', { class: 'headline', role: 'status' });
  readonly #body = element('div', { class: 'answer' });
  readonly #exact = element('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, 'Exact values');
  #answer: Answer | undefined;

  constructor(page: PageModel) {
    this.node = element(
      'section',
      { class: 'card', 'aria-labelledby': 'answer-heading' },
      element('div', { class: 'card-head' }, element('h2', { id: 'answer-heading' }, 'Prediction'), this.#exact),
      this.#headline,
      this.#body,
    );
    this.#exact.addEventListener('click', () => {
      const pressed = this.#exact.getAttribute('aria-pressed') !== 'true';
      this.#exact.setAttribute('aria-pressed', String(pressed));
      if (this.#answer) this.#draw(this.#answer);
    });
    this.#wait(page);
  }

  show(answer: Answer): void {
    this.#answer = answer;
    this.#exact.hidden = answer.kind === 'json';
    this.node.classList.remove('waiting', 'stale');
    // Emptied first, so that the same answer again is announced again.
    this.#headline.textContent = '';
    this.#draw(answer);
    requestAnimationFrame(() => this.#headline.replaceChildren(...headlineOf(answer)));
  }

  /** The last answer is not one to what stands in the form. */
  stale(): void {
    this.node.classList.add('stale');
  }

  /** The bars that will be there, empty, so that nothing moves when they fill. */
  #wait({ task, labels }: PageModel): void {
    this.node.classList.add('waiting');
    this.#headline.textContent = 'Nothing sent yet';
    if (task === 'classification' && labels && labels.length <= 24)
      this.#body.append(
        barsOf(
          labels.map((label) => ({ label, length: 0, best: false, text: '–', exact: '–' })),
          false,
        ),
      );
  }

  #draw(answer: Answer): void {
    const exact = this.#exact.getAttribute('aria-pressed') === 'true';
    this.#body.replaceChildren(...bodyOf(answer, exact));
  }
}

function headlineOf(answer: Answer): readonly Node[] {
  if (answer.kind !== 'classes') return [document.createTextNode(summaryOf(answer))];
  return [
    element('span', {}, answer.best.label, element('span', { class: 'unseen' }, ', ')),
    element('span', { class: 'score' }, answer.best.text),
  ];
}

function bodyOf(answer: Answer, exact: boolean): readonly Node[] {
  switch (answer.kind) {
    case 'classes':
      return [
        barsOf(answer.bars, exact),
        ...more(answer.hidden, 'classes', `The ${answer.bars.length} largest, in order.`),
      ];
    case 'json':
      return [
        element(
          'pre',
          { tabindex: 0, role: 'region', 'aria-label': 'The prediction as JSON' },
          element('code', {}, answer.text),
        ),
      ];
    case 'number':
      return exact ? [element('p', { class: 'mono exact' }, answer.value.exact)] : [];
    case 'values':
      return [
        ...(answer.shape.includes('×') ? [element('p', { class: 'note' }, `shape ${answer.shape}`)] : []),
        element(
          'ol',
          { class: 'values', start: 0 },
          ...answer.values.map((value) => element('li', {}, textOf(value, exact))),
        ),
        ...more(answer.hidden, 'values'),
      ];
    case 'rows':
      return [
        element(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Predictions by row' },
          element(
            'table',
            {},
            element(
              'thead',
              {},
              element('tr', {}, ...['row', ...answer.head].map((text) => element('th', { scope: 'col' }, text))),
            ),
            element('tbody', {}, ...answer.rows.map((cells, row) => rowOf(cells, row, exact))),
          ),
        ),
        ...more(answer.hidden, 'rows'),
      ];
  }
}

function rowOf(cells: readonly Shown[], row: number, exact: boolean): HTMLElement {
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, String(row + 1)),
    ...cells.map((cell) => element('td', {}, textOf(cell, exact))),
  );
}

function barsOf(bars: readonly Bar[], exact: boolean): HTMLElement {
  return element(
    'ul',
    { class: 'bars', role: 'list' },
    ...bars.map((bar) => {
      const fill = element('span', { class: 'fill' });
      fill.style.width = `${(bar.length * 100).toFixed(2)}%`;
      return element(
        'li',
        { class: bar.best ? 'best' : undefined },
        element(
          'span',
          { class: 'label' },
          bar.label,
          bar.best ? element('span', { class: 'unseen' }, ', the likeliest') : undefined,
        ),
        element('span', { class: 'track', 'aria-hidden': 'true' }, fill),
        element('span', { class: 'number', title: bar.exact }, textOf(bar, exact)),
      );
    }),
  );
}

function more(hidden: number, what: string, before = ''): readonly Node[] {
  return hidden > 0
    ? [element('p', { class: 'note' }, `${before} ${hidden} more ${what} in the answer below.`.trim())]
    : [];
}

function textOf(shown: Shown, exact: boolean): string {
  return exact ? shown.exact : shown.text;
}
