import { bodyOf } from '../model/body.ts';
import { formModelOf, type Group } from '../model/form-model.ts';
import { type Filled, jsonBody, type Outgoing } from '../model/outgoing.ts';
import type { PageModel } from '../model/page-model.ts';
import { tableBodyOf } from '../model/table-file.ts';
import { element } from './element.ts';
import { FieldView } from './field-view.ts';
import { FileView } from './file-view.ts';
import { type Failure, FormShell } from './form-shell.ts';

/** The form that the contract makes. */
export class FormView {
  readonly #groups: readonly Group[];
  readonly #fields: readonly FieldView[];
  readonly #file: FileView;
  readonly #shell: FormShell;

  /** @param edited the body may have changed */
  constructor(page: PageModel, send: (body: Outgoing) => void, edited: () => void) {
    this.#groups = formModelOf(page);
    const views = this.#groups.map((group) => group.fields.map((field) => new FieldView(field)));
    this.#fields = views.flat();
    const inputs = element('div', { class: 'inputs' }, ...groupNodes(this.#groups, views));
    this.#file = new FileView({
      read: (text) => tableBodyOf(page, text),
      changed: (body) => {
        inputs.hidden = body !== undefined;
        this.fail(undefined);
        edited();
      },
      failed: (message) => this.fail({ code: 'FILE_INVALID', message }),
    });
    const typed = this.#groups.some(({ fields }) => fields.some(({ control }) => /text|json/.test(control)));
    this.#shell = new FormShell({
      content: [inputs, this.#file.node],
      reset: 'Reset to sample',
      note: typed ? 'Ctrl+Enter sends' : 'Enter sends',
      submit: () => this.#complete(),
      clear: () => {
        this.#file.clear();
        for (const field of this.#fields) field.reset();
      },
      send,
      edited,
    });
    this.#file.listen(this.node);
  }

  get node(): HTMLFormElement {
    return this.#shell.node;
  }

  /** The body as the form stands. */
  get filled(): Filled {
    if (this.#file.body) return { outgoing: jsonBody(this.#file.body.json) };
    const body = bodyOf(this.#groups, Object.fromEntries(this.#fields.map((field) => [field.id, field.text])));
    return 'json' in body ? { outgoing: jsonBody(body.json) } : body;
  }

  busy(is: boolean): void {
    this.#shell.busy(is);
  }

  fail(failure: Failure | undefined): void {
    this.#shell.fail(failure);
  }

  #complete(): Outgoing | undefined {
    const { filled } = this;
    for (const field of this.#fields) field.complain(undefined);
    if ('outgoing' in filled) return filled.outgoing;
    for (const field of this.#fields) field.complain(filled.problems.get(field.id));
    this.#fields.find((field) => filled.problems.has(field.id))?.focus();
    return undefined;
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
