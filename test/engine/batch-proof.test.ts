import { expect, test } from 'bun:test';
import { proveBatch } from '../../src/engine/index.ts';
import {
  FLOAT,
  INT64,
  initializer,
  intAttribute,
  model,
  node,
  STRING,
  textsAttribute,
  value,
} from '../onnx-builder.ts';
import { contractOf, withEngine } from './loading.ts';

const prove = async (bytes: Uint8Array) => {
  const made = await contractOf({}, bytes);
  return withEngine(made, (engine) => proveBatch(engine, made.contract, [engine.sample()]));
};
const x = (...shape: number[]) => value(11, 'x', FLOAT, shape);
const y = (...shape: number[]) => value(12, 'y', FLOAT, shape);

test('rows that are worked on one by one: exact', async () => {
  expect(await prove(model([x(-1, 2), y(-1, 2), node('Neg', ['x'], ['y'])]))).toEqual({
    state: 'exact',
    interferes: false,
    rows: 64,
    maxRows: 64,
  });
});

test('a scale over all rows: off, and seen to interfere', async () => {
  const quantised = model([
    x(-1, 2),
    y(-1, 2),
    node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
    node('DequantizeLinear', ['q', 's', 'z'], ['y']),
  ]);
  expect(await prove(quantised)).toMatchObject({ state: 'off', interferes: true });
});

test('rows that are summed up along the way: off', async () => {
  const sums = model([
    x(-1, 2),
    y(-1, 2),
    initializer('axis', [1], [0]),
    node('CumSum', ['x', 'zero'], ['y']),
    node('ArgMax', ['axis'], ['zero64'], intAttribute('keepdims', 0)),
    node('Cast', ['zero64'], ['zero'], intAttribute('to', INT64)),
  ]);
  expect(await prove(sums)).toMatchObject({ state: 'off', interferes: true });
});

test('a fixed number of rows: fixed', async () => {
  expect(await prove(model([x(1, 2), y(1, 2), node('Neg', ['x'], ['y'])]))).toMatchObject({
    state: 'fixed',
    interferes: false,
  });
});

test('an output that promises one row and gives as many as it takes is tried like any other', async () => {
  expect(await prove(model([x(-1, 2), y(1, 2), node('Neg', ['x'], ['y'])]))).toMatchObject({ state: 'exact' });
});

test('text and integers are varied too', async () => {
  const words = model([
    value(11, 'x', STRING, [-1, 1]),
    value(12, 'y', STRING, [-1, 1]),
    node('Identity', ['x'], ['y']),
  ]);
  expect(await prove(words)).toMatchObject({ state: 'exact' });
  const numbers = model([value(11, 'x', INT64, [-1, 2]), value(12, 'y', INT64, [-1, 2]), node('Neg', ['x'], ['y'])]);
  expect(await prove(numbers)).toMatchObject({ state: 'exact' });
});

/** A model that knows the categories a and b only: it refuses any other word. */
const CATEGORIES = model(
  [
    value(11, 'x', STRING, [-1, 2]),
    value(12, 'y', FLOAT, [-1, 2, 2]),
    node(
      'OneHotEncoder',
      ['x'],
      ['y'],
      [...textsAttribute('cats_strings', words()), ...intAttribute('zeros', 0)],
      'ai.onnx.ml',
    ),
  ],
  { domains: ['ai.onnx.ml'] },
);

function words(): string[] {
  return Array.from({ length: 20 }, (_, i) => `word ${i}`);
}

test('a model that knows a few words only is tried with words that it knows, none twice', async () => {
  const made = await contractOf({}, CATEGORIES);
  const known = (rows: number) => ({
    x: {
      datatype: 'BYTES' as const,
      shape: [rows, 2],
      data: Array.from({ length: rows * 2 }, (_, i) => words()[i % 20] as string),
    },
  });
  const { sample } = made.contract;
  const contract = { ...made.contract, sample: { ...sample, inputs: { x: [['word 1', 'word 2']] } } };
  await withEngine({ ...made, contract }, async (engine) => {
    expect(await proveBatch(engine, contract, [known(10)])).toMatchObject({ state: 'exact' });
    // One row of known words cannot be varied: the same row 64 times would prove nothing.
    expect(await proveBatch(engine, contract, [known(1)])).toMatchObject({ state: 'off', interferes: false });
  });
});

test('known rows of several lengths: the first one’s are compared', async () => {
  const made = await contractOf({}, model([x(-1, -1), y(-1, -1), node('Neg', ['x'], ['y'])]));
  const row = (...values: number[]) => ({
    x: { datatype: 'FP32' as const, shape: [1, values.length], data: Float32Array.from(values) },
  });
  await withEngine(made, async (engine) => {
    for (const known of [
      [row(1, 2), row(1, 2, 3), row(3, 4)],
      [row(1, 2, 3), row(1)],
    ])
      expect(await proveBatch(engine, made.contract, known)).toMatchObject({ state: 'exact', rows: 64 });
  });
});
