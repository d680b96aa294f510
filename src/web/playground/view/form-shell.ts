import type { Outgoing } from '../model/outgoing.ts';
import { element } from './element.ts';

/** An error for people, as the API answers it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface FormShellOptions {
  readonly content: readonly Node[];
  /** What the button beside Predict says. */
  readonly reset: string;
  /** Beside the buttons. */
  readonly note: string;
  /** What to send, or undefined where it said itself what is missing. */
  readonly submit: () => Outgoing | undefined;
  readonly clear: () => void;
  readonly send: (body: Outgoing) => void;
  /** The body may have changed. */
  readonly edited: () => void;
}

/** What every form has: its place, its buttons, its keys, and where it says what went wrong. */
export class FormShell {
  readonly node: HTMLFormElement;
  readonly #options: FormShellOptions;
  readonly #alert = element('div', { class: 'alert', role: 'alert' });
  readonly #predict = element('button', { type: 'submit', class: 'primary' }, 'Predict');

  constructor(options: FormShellOptions) {
    this.#options = options;
    const reset = element('button', { type: 'button' }, options.reset);
    this.node = element(
      'form',
      { class: 'card', novalidate: true, 'aria-labelledby': 'input-heading' },
      element('h2', { id: 'input-heading' }, 'Input'),
      ...options.content,
      this.#alert,
      element('div', { class: 'actions' }, this.#predict, reset, element('span', { class: 'note' }, options.note)),
    );
    this.node.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.node.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.#submit();
    });
    this.node.addEventListener('input', options.edited);
    reset.addEventListener('click', () => {
      options.clear();
      this.fail(undefined);
      options.edited();
    });
  }

  busy(is: boolean): void {
    this.#predict.setAttribute('aria-disabled', String(is));
  }

  fail(failure: Failure | undefined): void {
    this.#alert.replaceChildren(
      ...(failure
        ? [
            element('strong', {}, failure.code),
            element('p', {}, failure.message),
            ...(failure.hint ? [element('p', { class: 'hint' }, failure.hint)] : []),
          ]
        : []),
    );
  }

  #submit(): void {
    if (this.#predict.getAttribute('aria-disabled') === 'true') return;
    this.fail(undefined);
    const body = this.#options.submit();
    if (body) this.#options.send(body);
  }
}
