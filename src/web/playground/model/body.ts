import type { TensorSpec } from '../../../contract/index.ts';
import { readCell } from './cell.ts';
import type { Group } from './form-model.ts';

/** A request's body, or what is wrong with each field, by its id. */
export type Body = { readonly json: string } | { readonly problems: ReadonlyMap<string, string> };

/**
 * The body of POST /predict that the fields' texts make: `{"data": …}` for one input, `{"inputs": {…}}` for several, `{}`
 * where a sample that is too large for the page was left as it is.
 */
export function bodyOf(groups: readonly Group[], texts: Readonly<Record<string, string>>): Body {
  const problems = new Map<string, string>();
  const large = groups.flatMap((group) => group.fields).filter((field) => field.control === 'json' && field.optional);
  const untouched = large.filter((field) => (texts[field.id] ?? '').trim() === '');
  if (large.length > 0 && untouched.length === large.length) {
    if (groups.every((group) => group.fields.every((field) => (texts[field.id] ?? '') === field.value)))
      return { json: '{}' };
  }
  for (const field of untouched) problems.set(field.id, 'needs a value, unless all inputs are left as they were');
  const inputs: Record<string, unknown> = {};
  for (const { input, fields } of groups) {
    const values = fields.map((field) => {
      const cell = readCell(texts[field.id] ?? '', field);
      if ('value' in cell) return cell.value;
      problems.set(field.id, cell.problem);
      return undefined;
    });
    inputs[input.name] = fields[0]?.control === 'json' ? values[0] : nestRow(input, values);
  }
  if (problems.size > 0) return { problems };
  return {
    json: bodyJson(
      groups.map((group) => group.input),
      inputs,
    ),
  };
}

/** One row's values in the nesting of the input's rank. */
export function nestRow({ shape }: Pick<TensorSpec, 'shape'>, values: readonly unknown[]): unknown {
  if (shape.length === 0) return values[0];
  return shape.length === 1 ? values : [values];
}

export function bodyJson(inputs: readonly TensorSpec[], values: Readonly<Record<string, unknown>>): string {
  const [only, second] = inputs;
  return JSON.stringify(only && !second ? { data: values[only.name] } : { inputs: values });
}
