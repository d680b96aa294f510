import type { Field } from './form-model.ts';

/** What a text means as a value of a control, or why it means nothing. */
export type Cell = { readonly value: unknown } | { readonly problem: string };

/** Reads a field's or a table cell's text as the JSON value that the server takes. */
export function readCell(text: string, field: Pick<Field, 'control' | 'optional' | 'range'>): Cell {
  const { control, optional } = field;
  if (control === 'text') return { value: text };
  const word = text.trim();
  if (control === 'bool') return readBool(word);
  if (word === '') return optional ? { value: null } : { problem: 'needs a value' };
  if (control === 'json') return readJson(word);
  if (optional && /^(nan|null|na)$/i.test(word)) return { value: null };
  // Number() also takes 0x10 and Infinity.
  const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word) ? Number(word) : Number.NaN;
  if (!Number.isFinite(number)) return { problem: 'is not a number' };
  if (control === 'integer') {
    const [least, most] = field.range ?? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
    if (!Number.isInteger(number)) return { problem: 'is not a whole number' };
    if (number < least || number > most) return { problem: `must lie from ${least} to ${most}` };
  }
  return { value: number };
}

function readBool(word: string): Cell {
  if (/^(true|1)$/i.test(word)) return { value: true };
  if (/^(false|0)$/i.test(word)) return { value: false };
  return { problem: 'is neither true nor false' };
}

function readJson(text: string): Cell {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `is not JSON: ${(error as Error).message}` };
  }
}
