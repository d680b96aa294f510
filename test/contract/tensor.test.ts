import { expect, test } from 'bun:test';
import { type Datatype, jsonValues, nestTensor, parseTensor } from '../../src/contract/index.ts';
import { isInlayError } from '../../src/error/index.ts';

const spec = (datatype: Datatype, ...shape: number[]) => ({ name: 'x', datatype, shape });

test.each([
  ['FP32', [[1.5, -2]], Float32Array],
  ['FP64', [[0.1, 1e300]], Float64Array],
  ['FP16', [[1.5, 65504]], Float16Array],
  ['INT8', [[-128, 127]], Int8Array],
  ['UINT8', [[0, 255]], Uint8Array],
  ['INT16', [[-32768, 32767]], Int16Array],
  ['UINT16', [[0, 65535]], Uint16Array],
  ['INT32', [[-2147483648, 2147483647]], Int32Array],
  ['UINT32', [[0, 4294967295]], Uint32Array],
  ['INT64', [[-9007199254740991, 9007199254740991]], BigInt64Array],
  ['UINT64', [[0, 9007199254740991]], BigUint64Array],
  ['BOOL', [[true, false]], Uint8Array],
  ['BYTES', [['a', 'ü']], Array],
] as const)('%s goes in and comes out the same', (datatype, value, kind) => {
  const tensor = parseTensor(spec(datatype, -1, 2), value);
  expect(tensor.shape).toEqual([1, 2]);
  expect(tensor.data).toBeInstanceOf(kind);
  expect(nestTensor(tensor)).toEqual(value as unknown as object);
});

test.each([
  ['a number for a list', 'FP32', 1],
  ['nothing', 'FP32', undefined],
  ['an empty list', 'FP32', []],
  ['an empty row', 'FP32', [[]]],
  ['too narrow', 'FP32', [[1]]],
  ['too wide', 'FP32', [[1, 2, 3]]],
  ['ragged', 'FP32', [[1, 2], [1]]],
  ['too flat', 'FP32', [1, 2]],
  ['too deep', 'FP32', [[[1], [2]]]],
  ['too deep in a later place', 'FP32', [[1, [2]]]],
  ['a string', 'FP32', [[1, '2']]],
  ['a boolean', 'FP32', [[1, true]]],
  ['null', 'FP32', [[1, null]]],
  ['an object', 'FP32', [[1, {}]]],
  ['infinity', 'FP32', [[1, Number.POSITIVE_INFINITY]]],
  ['more than float32 holds', 'FP32', [[1, 1e39]]],
  ['more than float16 holds', 'FP16', [[1, 65520]]],
  ['a fraction for an integer', 'INT32', [[1, 0.5]]],
  ['more than int8 holds', 'INT8', [[1, 128]]],
  ['a negative unsigned', 'UINT8', [[1, -1]]],
  ['an integer that JSON numbers cannot tell from its neighbour', 'INT64', [[1, 2 ** 53]]],
  ['a number for a boolean', 'BOOL', [[true, 1]]],
  ['a number for a string', 'BYTES', [['a', 1]]],
  ['half a character', 'BYTES', [['a', '\ud83d']]],
] as const)('%s is refused, with the input, what it takes and what came', (_, datatype, value) => {
  let caught: unknown;
  try {
    parseTensor(spec(datatype, -1, 2), value);
  } catch (error) {
    caught = error;
  }
  expect(isInlayError(caught) && caught.code).toBe('INPUT_INVALID');
  expect((caught as Error).message).toStartWith(
    `input x takes ${datatype === 'BYTES' ? 'STRING' : datatype} [-1, 2]; this has `,
  );
});

test('null is NaN where NaN is a missing value, and only for floats', () => {
  const { data } = parseTensor({ ...spec('FP32', -1, 2), missing: 'nan' }, [[1, null]]);
  expect(Array.from(data as Float32Array)).toEqual([1, Number.NaN]);
  expect(() => parseTensor({ ...spec('INT32', -1, 2), missing: 'nan' }, [[1, null]])).toThrow('null at [0][1]');
});

test('float32 prints as the double that it is', () => {
  expect(jsonValues({ datatype: 'FP32', shape: [1], data: Float32Array.of(0.9709316) })).toEqual([0.9709315896034241]);
});

test('64-bit integers beyond 2^53 print as text', () => {
  expect(jsonValues({ datatype: 'INT64', shape: [2], data: BigInt64Array.of(2n ** 60n, 5n) })).toEqual([
    '1152921504606846976',
    5,
  ]);
});

test('a long first row above many empty ones is refused before there is room for what it promises', () => {
  const [long, many] = [new Array(300_000).fill(1), new Array(300_000).fill([])];
  expect(() => parseTensor(spec('FP32', -1, -1), [long, ...many])).toThrow('ragged lists: 0 values at [1]');
});
