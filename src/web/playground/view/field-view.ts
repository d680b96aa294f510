import type { Field } from '../model/form-model.ts';
import { element } from './element.ts';

/** One labelled control with the place for what is wrong with it. */
export class FieldView {
  readonly node: HTMLElement;
  readonly #field: Field;
  readonly #control: HTMLInputElement | HTMLTextAreaElement;
  readonly #problem: HTMLElement;

  constructor(field: Field) {
    this.#field = field;
    this.#problem = element('p', { class: 'problem', id: `${field.id}-problem` });
    this.#control = controlOf(field);
    const label = element('label', { for: field.id }, field.label);
    const wide = field.control === 'text' || field.control === 'json';
    this.node = element(
      'div',
      { class: `field ${field.control}${wide ? ' wide' : ''}` },
      label,
      this.#control,
      this.#problem,
    );
    this.#control.addEventListener('input', () => this.complain(undefined));
    this.reset();
  }

  get id(): string {
    return this.#field.id;
  }

  /** What stands in it; a number field that holds no number says so, not nothing. */
  get text(): string {
    const control = this.#control;
    if (control instanceof HTMLInputElement && control.type === 'checkbox') return String(control.checked);
    return control.validity.badInput ? 'no number' : control.value;
  }

  reset(): void {
    const { control, value } = this.#field;
    if (control === 'bool') (this.#control as HTMLInputElement).checked = value === 'true';
    else this.#control.value = value;
    this.complain(undefined);
  }

  complain(problem: string | undefined): void {
    this.#problem.textContent = problem === undefined ? '' : `${this.#field.label} ${problem}`;
    if (problem === undefined) this.#control.removeAttribute('aria-invalid');
    else this.#control.setAttribute('aria-invalid', 'true');
  }

  focus(): void {
    this.#control.focus();
  }
}

function controlOf({ id, control, optional, range }: Field): HTMLInputElement | HTMLTextAreaElement {
  const shared = { id, 'aria-describedby': `${id}-problem`, autocomplete: 'off', spellcheck: 'false' };
  switch (control) {
    case 'bool':
      return element('input', { ...shared, type: 'checkbox' });
    case 'text':
      return element('textarea', { ...shared, rows: 4 });
    case 'json':
      return element('textarea', {
        ...shared,
        rows: 8,
        class: 'mono',
        placeholder: optional ? 'left empty: the sample' : undefined,
      });
    default: {
      const input = element('input', {
        ...shared,
        type: 'number',
        step: control === 'integer' ? 1 : 'any',
        min: range?.[0],
        max: range?.[1],
        placeholder: optional ? 'missing' : undefined,
      });
      // A wheel over a focused number field would change it unseen.
      input.addEventListener('wheel', () => input.blur(), { passive: true });
      return input;
    }
  }
}
