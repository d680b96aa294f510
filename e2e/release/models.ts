// Models of one contract that are released beside each other: a good one, and such as must not become stable.
import { FLOAT, INT64, initializer, intAttribute, model, node, type Part, value } from '../../test/onnx-builder.ts';

/** Rows that the good model calls setosa, versicolor and virginica. */
export const ROWS = [
  [5.1, 3.5, 1.4, 0.2],
  [6.0, 2.7, 4.2, 1.3],
  [6.5, 3.0, 5.8, 2.2],
] as const;
/** The good model answers it; `nan` does not. */
export const NAN_ROW = [-5.1, 3.5, 1.4, 0.2] as const;

const WEIGHTS = [
  [0.4, 0.4, -1.8],
  [1.4, -1.5, -1.5],
  [-2.2, 0.6, 2.4],
  [-1.0, -1.3, 2.4],
];
const LABELS = 3;
const WIDTH = 512;

export type Kind = 'good' | 'nan' | 'swapped' | 'slow' | 'busy' | 'stuck' | 'hungry' | 'broken' | 'wide';

/**
 * x [rows, 4] → y [rows, 3].
 * - `good`; `seed` makes another one of it
 * - `nan`: NaN where the first column is negative
 * - `swapped`: the columns of y in another order, as an export with other labels has them
 * - `slow`: some times slower; `busy`: some milliseconds a run; `stuck`: seconds
 * - `hungry`: takes 800 MB a run
 * - `broken`: has an operator that no runtime knows
 * - `wide`: wants five columns
 */
export function modelOf(kind: Kind, seed = 0): Uint8Array {
  const columns = kind === 'wide' ? 5 : 4;
  const weights = Array.from({ length: columns }, (_, i) => WEIGHTS[i] ?? [0, 0, 0]).flatMap((row) =>
    (kind === 'swapped' ? row.toReversed() : row).map((weight) => weight * (1 + seed / 1000)),
  );
  const extra = EXTRAS[kind]?.() ?? [];
  return model([
    value(11, 'x', FLOAT, [-1, columns]),
    value(12, 'y', FLOAT, [-1, LABELS]),
    initializer('w', [columns, LABELS], weights),
    node('MatMul', ['x', 'w'], ['logits']),
    node('Softmax', ['logits'], [extra.length === 0 ? 'y' : 'p'], intAttribute('axis', 1)),
    ...extra,
  ]);
}

const EXTRAS: Partial<Record<Kind, () => Part[]>> = {
  // p + 0 · log(x₀)
  nan: () => [
    ...firstColumn(),
    initializer('zero', [1], [0]),
    node('Log', ['x0'], ['logarithm']),
    node('Mul', ['logarithm', 'zero'], ['nothing']),
    node('Add', ['p', 'nothing'], ['y']),
  ],
  broken: () => [node('NoSuchOperator', ['p'], ['y'])],
  slow: () => work(200),
  busy: () => work(400),
  stuck: () => work(20_000),
  // p + 0 · the sum of 200 million numbers
  hungry: () => [
    ...firstColumn(),
    initializer('size_f', [1], [200_000_000]),
    initializer('zero', [1], [0]),
    node('Cast', ['size_f'], ['size'], intAttribute('to', INT64)),
    node('ReduceMax', ['x0'], ['one_f'], intAttribute('keepdims', 0)),
    node('Expand', ['one_f', 'size'], ['many']),
    node('ReduceMax', ['many'], ['most'], intAttribute('keepdims', 0)),
    node('Mul', ['most', 'zero'], ['nothing']),
    node('Add', ['p', 'nothing'], ['y']),
  ],
};

function firstColumn(): Part[] {
  return [initializer('first', [4, 1], [1, 0, 0, 0]), node('MatMul', ['x', 'first'], ['x0'])];
}

/** p + 0 · x · a · b · b · …, each b of 512 × 512 */
function work(times: number): Part[] {
  return [
    initializer(
      'a',
      [4, WIDTH],
      Array.from({ length: 4 * WIDTH }, () => 0.001),
    ),
    initializer(
      'b',
      [WIDTH, WIDTH],
      Array.from({ length: WIDTH * WIDTH }, () => 0.001),
    ),
    initializer(
      'c',
      [WIDTH, LABELS],
      Array.from({ length: WIDTH * LABELS }, () => 0),
    ),
    node('MatMul', ['x', 'a'], ['h0']),
    ...Array.from({ length: times }, (_, i) => node('MatMul', [`h${i}`, 'b'], [`h${i + 1}`])),
    node('MatMul', [`h${times}`, 'c'], ['nothing']),
    node('Add', ['p', 'nothing'], ['y']),
  ];
}
