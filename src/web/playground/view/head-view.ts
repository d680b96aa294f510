import type { TensorSpec } from '../../../contract/index.ts';
import type { PageModel } from '../model/page-model.ts';
import { element } from './element.ts';

const DIGEST_DIGITS = 12;

/** Whether the server takes requests. */
export type Health = 'ready' | 'not ready' | 'unreachable';

/** The model's name, version, task, digest, inputs and outputs. */
export class HeadView {
  readonly node: HTMLElement;
  readonly #health = element('span', { class: 'health', 'aria-live': 'polite' }, 'checking');

  constructor(page: PageModel) {
    const [algorithm, digest] = page.digest.split(':');
    const short = digest ? `${algorithm}:${digest.slice(0, DIGEST_DIGITS)}` : page.digest;
    this.node = element(
      'header',
      {},
      element(
        'div',
        { class: 'title' },
        element('h1', {}, page.name),
        element('span', { class: 'version' }, page.version),
        element('span', { class: 'task' }, page.task),
        this.#health,
      ),
      element('p', { class: 'digest', title: page.digest }, short),
      tensorTable(page),
    );
  }

  show(health: Health): void {
    this.#health.textContent = health;
    this.#health.dataset.health = health;
  }
}

/** A name that, where there is no room, is broken behind its underscores and dots rather than anywhere. */
function breakable(name: string): (string | HTMLElement)[] {
  return name.split(/(?<=[_./:])/).flatMap((part, i) => (i === 0 ? [part] : [element('wbr'), part]));
}

function tensorTable({ inputs, outputs, prediction }: PageModel): HTMLElement {
  const row = (way: string) => (spec: TensorSpec) =>
    element(
      'tr',
      {},
      element('td', {}, way),
      element(
        'th',
        { scope: 'row' },
        ...breakable(spec.name),
        way === 'output' && spec.name === prediction && outputs.length > 1
          ? element('span', { class: 'note' }, ' the prediction')
          : undefined,
      ),
      element('td', {}, spec.datatype === 'BYTES' ? 'STRING' : spec.datatype),
      element(
        'td',
        {},
        element('span', { class: 'shape' }, `[${spec.shape.join(', ')}]`),
        spec.missing ? ' or null' : undefined,
      ),
    );
  const head = ['', 'name', 'datatype', 'shape'].map((text) =>
    text ? element('th', { scope: 'col' }, text) : element('td'),
  );
  const table = element(
    'table',
    { class: 'tensors' },
    element('caption', { class: 'unseen' }, 'Inputs and outputs'),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...inputs.map(row('input')), ...outputs.map(row('output'))),
  );
  return table;
}
