import { type Body, bodyOf } from '../model/body.ts';
import { formModelOf, type Group } from '../model/form-model.ts';
import type { PageModel } from '../model/page-model.ts';
import { tableBodyOf } from '../model/table-file.ts';
import { element } from './element.ts';
import { FieldView } from './field-view.ts';
import { FileView } from './file-view.ts';

/** An error for people, as the API answers it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** The form that the contract makes. */
export class FormView {
  readonly node: HTMLFormElement;
  readonly #groups: readonly Group[];
  readonly #fields: readonly FieldView[];
  readonly #alert = element('div', { class: 'alert', role: 'alert' });
  readonly #inputs: HTMLElement;
  readonly #file: FileView;
  readonly #predict = element('button', { type: 'submit', class: 'primary' }, 'Predict');

  /** @param send called with the body's JSON @param edited the body may have changed */
  constructor(page: PageModel, send: (json: string) => void, edited: () => void) {
    this.#groups = formModelOf(page);
    const views = this.#groups.map((group) => group.fields.map((field) => new FieldView(field)));
    this.#fields = views.flat();
    this.#inputs = element('div', { class: 'inputs' }, ...groupNodes(this.#groups, views));
    const reset = element('button', { type: 'button' }, 'Reset to sample');
    const heading = element('h2', { id: 'input-heading' }, 'Input');
    this.node = element('form', { class: 'card', novalidate: true, 'aria-labelledby': 'input-heading' });
    this.#file = new FileView({
      dropZone: this.node,
      read: (text) => tableBodyOf(page, text),
      changed: (body) => {
        this.#inputs.hidden = body !== undefined;
        this.fail(undefined);
        edited();
      },
      failed: (message) => this.fail({ code: 'FILE_INVALID', message }),
    });
    const typed = this.#groups.some(({ fields }) => fields.some(({ control }) => /text|json/.test(control)));
    this.node.append(
      heading,
      this.#inputs,
      this.#file.node,
      this.#alert,
      element(
        'div',
        { class: 'actions' },
        this.#predict,
        reset,
        element('span', { class: 'note' }, typed ? 'Ctrl+Enter sends' : 'Enter sends'),
      ),
    );
    this.node.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    this.node.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.#submit(send);
    });
    this.node.addEventListener('input', edited);
    reset.addEventListener('click', () => {
      this.#file.clear();
      for (const field of this.#fields) field.reset();
      this.fail(undefined);
      edited();
    });
  }

  /** The body as the form stands. */
  get body(): Body {
    if (this.#file.body) return { json: this.#file.body.json };
    return bodyOf(this.#groups, Object.fromEntries(this.#fields.map((field) => [field.id, field.text])));
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

  #submit(send: (json: string) => void): void {
    if (this.#predict.getAttribute('aria-disabled') === 'true') return;
    const { body } = this;
    this.fail(undefined);
    for (const field of this.#fields) field.complain(undefined);
    if ('json' in body) {
      send(body.json);
      return;
    }
    for (const field of this.#fields) field.complain(body.problems.get(field.id));
    this.#fields.find((field) => body.problems.has(field.id))?.focus();
  }
}

/** A fieldset for each input of several fields; inputs of one field stand together. */
function groupNodes(groups: readonly Group[], views: readonly (readonly FieldView[])[]): readonly Node[] {
  const nodes: Node[] = [];
  let together: HTMLElement | undefined;
  for (const [index, { input, fields }] of groups.entries()) {
    const own = (views[index] ?? []).map((view) => view.node);
    if (fields.length === 1) {
      if (!together) {
        together = element('div', { class: 'fields' });
        nodes.push(together);
      }
      together.append(...own);
    } else {
      together = undefined;
      nodes.push(
        element('fieldset', {}, element('legend', {}, input.name), element('div', { class: 'fields' }, ...own)),
      );
    }
  }
  return nodes;
}
