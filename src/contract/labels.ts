import { z } from 'zod';
import { InlayError } from '../error/index.ts';
import type { ClassLabels } from './onnx/model-facts.ts';

const fileSchema = z.union([
  z.array(z.string()).min(1),
  z.record(z.string(), z.string()).refine((map) => Object.keys(map).length > 0, 'no labels in it'),
]);

/** Class names by column of the prediction, and the key that GET /label shows each under. */
export interface Labels {
  readonly keys: readonly string[];
  readonly names: readonly string[];
}

/**
 * Reads a label file and puts it in the order of the graph's columns. A map is keyed by class, as the graph numbers
 * them (`classlabels_int64s`), or by column where the graph does not say; a list is in column order.
 * @param text JSON @param file how to name it @param classes the graph's classes, in column order
 * @param width columns of the prediction, undefined where the graph leaves it free
 * @throws LABELS_INVALID
 */
export function readLabels(
  text: string,
  file: string,
  classes: ClassLabels | undefined,
  width: number | undefined,
): Labels {
  const fail = (message: string, hint: string) => new InlayError('LABELS_INVALID', `${file}: ${message}`, { hint });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InlayError('LABELS_INVALID', `${file} is not JSON`, {
      cause,
      hint: 'Write {"0": "setosa", ...} or ["setosa", ...].',
    });
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) throw fail('expected class names', 'Write {"0": "setosa", ...} or ["setosa", ...].');
  const given = parsed.data;
  const count = Array.isArray(given) ? given.length : Object.keys(given).length;
  const expected = classes?.values.length ?? width;
  if (expected !== undefined && count !== expected) {
    throw fail(
      `${count} labels for ${expected} classes`,
      `The model answers ${expected} numbers a row: write one label for each.`,
    );
  }
  const keys =
    classes?.kind === 'int' ? classes.values.map(String) : Array.from({ length: count }, (_, column) => String(column));
  const names = Array.isArray(given) ? given : keys.map((key) => given[key]);
  const missing = keys.filter((_, column) => names[column] === undefined);
  if (missing.length > 0) {
    throw fail(
      `no label for class ${missing.join(', ')}; it has ${Object.keys(given).slice(0, 8).join(', ')}`,
      `The model's columns are the classes ${keys.join(', ')}.`,
    );
  }
  const twice = names.find((name, column) => names.indexOf(name) !== column);
  if (twice !== undefined) throw fail(`two classes are named ${twice}`, 'Give each class a name of its own.');
  if (classes?.kind === 'string') {
    const wrong = classes.values.findIndex((name, column) => name !== names[column]);
    if (wrong >= 0) {
      throw fail(
        `column ${wrong} is ${classes.values[wrong]} in the model and ${names[wrong]} here`,
        `In the order of the model: ${JSON.stringify(classes.values)}`,
      );
    }
  }
  return { keys, names: names as string[] };
}

/** Labels from the graph alone, where there is no label file. */
export function labelsOfGraph(classes: ClassLabels): Labels {
  const names = classes.values.map(String);
  return { keys: classes.kind === 'int' ? names : names.map((_, column) => String(column)), names };
}
