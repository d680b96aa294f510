import { expect, test } from 'bun:test';
import { zipSync } from 'fflate';
import { type Golden, parseGolden, type TensorSpec } from '../../src/contract/index.ts';
import { isInlayError } from '../../src/error/index.ts';
import { npy } from '../npy-builder.ts';

const X: TensorSpec = { name: 'x', datatype: 'FP32', shape: [-1, 2] };
const Y: TensorSpec = { name: 'y', datatype: 'FP32', shape: [-1] };
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const doubles = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer);
const x = npy('<f4', [2, 2], floats(1, 2, 3, 4));
const y = npy('<f8', [2], doubles(0.1, 0.2));

function read(entries: Record<string, Uint8Array>, inputs = [X], outputs = [Y]): Golden {
  return parseGolden(zipSync(entries), 'golden.npz', { inputs, outputs });
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isInlayError(error) ? `${error.code}: ${error.message}` : String(error);
  }
  return 'done';
}

/** An array of one dtype as the input of the model. */
function input(
  datatype: TensorSpec['datatype'],
  array: Uint8Array,
  shape: readonly number[] = [-1],
  missing?: 'nan',
): unknown {
  const spec: TensorSpec = { name: 'x', datatype, shape, missing };
  const golden = read({ 'cases/0/inputs/x.npy': array, 'cases/0/outputs/y.npy': y }, [spec]);
  return golden.cases[0]?.inputs.x?.data;
}

test('cases by number, outputs in the model’s own width, tolerance and environment', () => {
  const top = { tolerance: { y: 1e-3 }, environment: { numpy: '2.4.6' } };
  const golden = read({
    'golden.npy': text(JSON.stringify(top)),
    'cases/1/inputs/x.npy': npy('<f4', [1, 2], floats(5, 6)),
    'cases/1/outputs/y.npy': npy('<f8', [1], doubles(0.3)),
    'cases/0/inputs/x.npy': x,
    'cases/0/outputs/y.npy': y,
  });
  expect(golden.tolerance('y')).toBe(1e-3);
  expect(golden.environment).toEqual({ numpy: '2.4.6' });
  expect(golden.cases.map((one) => one.inputs.x?.data)).toEqual([Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)]);
  expect(golden.cases[0]?.outputs.y).toEqual({ datatype: 'FP32', shape: [2], data: Float32Array.of(0.1, 0.2) });
});

test('raw cases stand in its text', () => {
  const top = { schemaVersion: 2, rawTolerance: 0.1, raw: [{ request: { json: 'ü' }, answer: 1 }] };
  const golden = read({
    'golden.npy': text(JSON.stringify(top)),
    'cases/0/inputs/x.npy': x,
    'cases/0/outputs/y.npy': y,
  });
  expect([golden.raw.length, golden.raw[0]?.answer, golden.rawTolerance]).toEqual([1, 1, 0.1]);
});

function text(value: string): Uint8Array {
  const points = Uint32Array.from(value, (c) => c.codePointAt(0) as number);
  return npy(`<U${points.length}`, [], new Uint8Array(points.buffer));
}

test.each([
  ['FP16', '<f2', Float16Array.of(1.5, -2)],
  ['FP32', '<f4', Float32Array.of(1.5, -2)],
  ['FP64', '<f8', Float64Array.of(1.5, -2)],
  ['INT8', '|i1', Int8Array.of(-128, 127)],
  ['INT16', '<i2', Int16Array.of(-32768, 1)],
  ['INT32', '<i4', Int32Array.of(-5, 5)],
  ['INT64', '<i8', BigInt64Array.of(-(2n ** 60n), 5n)],
  ['UINT8', '|u1', Uint8Array.of(0, 255)],
  ['UINT16', '<u2', Uint16Array.of(0, 65535)],
  ['UINT32', '<u4', Uint32Array.of(0, 4294967295)],
  ['UINT64', '<u8', BigUint64Array.of(0n, 2n ** 63n)],
  ['BOOL', '|b1', Uint8Array.of(1, 0)],
] as const)('%s is numpy’s %s, in each version of the format', (datatype, descr, values) => {
  for (const version of [1, 2, 3] as const) {
    expect(input(datatype, npy(descr, [2], new Uint8Array(values.buffer), { version }))).toEqual(values as never);
  }
});

test('text: U in UTF-32, S in UTF-8, both padded', () => {
  const points = Uint32Array.of(0x1f33a, 0, 0x61, 0xfc);
  expect(input('BYTES', npy('<U2', [2], new Uint8Array(points.buffer)))).toEqual(['🌺', 'aü']);
  expect(input('BYTES', npy('|S3', [2], new TextEncoder().encode('ü\0abc')))).toEqual(['ü', 'abc']);
  expect(input('BYTES', npy('<U0', [2], new Uint8Array()))).toEqual(['', '']);
});

test('Fortran order becomes row-major', () => {
  const columns = npy('<f4', [2, 3], floats(1, 4, 2, 5, 3, 6), { fortran: true });
  expect(input('FP32', columns, [-1, 3])).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
});

test('NaN is a missing value where the contract says so, else refused; infinity always', () => {
  const nan = npy('<f4', [2], floats(1, Number.NaN));
  expect(Array.from(input('FP32', nan, [-1], 'nan') as Float32Array)).toEqual([1, Number.NaN]);
  expect(codeOf(() => input('FP32', nan))).toContain('GOLDEN_INVALID');
  expect(codeOf(() => input('FP32', npy('<f4', [1], floats(Number.POSITIVE_INFINITY)), [-1], 'nan'))).toContain(
    'GOLDEN_INVALID',
  );
});

test('an input of another kind than the model’s is GOLDEN_DTYPE; a float of another width is cast', () => {
  expect(codeOf(() => input('INT32', npy('<f4', [1], floats(1))))).toContain('GOLDEN_DTYPE');
  expect(codeOf(() => input('FP32', npy('<i4', [1], new Uint8Array(4))))).toContain('GOLDEN_DTYPE');
  expect(input('FP16', npy('<f4', [1], floats(1.5)))).toEqual(Float16Array.of(1.5) as never);
});

const good = { 'cases/0/inputs/x.npy': x, 'cases/0/outputs/y.npy': y };
const cut = (array: Uint8Array, by: number) => array.subarray(0, array.length - by);
test.each([
  ['a pickle', { ...good, 'cases/0/inputs/x.npy': npy('|O', [1], new Uint8Array(8)) }, 'pickle'],
  ['big-endian', { ...good, 'cases/0/inputs/x.npy': npy('>f4', [1, 2], floats(1, 2)) }, 'big-endian'],
  ['complex', { ...good, 'cases/0/inputs/x.npy': npy('<c8', [1], new Uint8Array(8)) }, '<c8'],
  ['a table', { ...good, 'cases/0/inputs/x.npy': npy([['a', '<f4']], [1], floats(1)) }, 'fields'],
  ['too little data', { ...good, 'cases/0/inputs/x.npy': cut(x, 1) }, '15 bytes of data where 16'],
  ['no header', { ...good, 'cases/0/inputs/x.npy': x.subarray(0, 30) }, 'header'],
  ['no magic', { ...good, 'cases/0/inputs/x.npy': floats(1, 2, 3) }, 'not an .npy'],
  ['another version', { ...good, 'cases/0/inputs/x.npy': npy('<f4', [1], floats(1), { version: 4 }) }, 'version 4'],
  ['another width', { ...good, 'cases/0/inputs/x.npy': npy('<f4', [2, 1], floats(1, 2)) }, 'shape [2, 1]'],
  ['another rank', { ...good, 'cases/0/inputs/x.npy': npy('<f4', [4], floats(1, 2, 3, 4)) }, 'shape [4]'],
  ['no rows', { ...good, 'cases/0/inputs/x.npy': npy('<f4', [0, 2], floats()) }, 'empty'],
  ['half a character', { ...good, 'golden.npy': npy('<U1', [], Uint8Array.of(0, 0xd8, 0, 0)) }, 'not Unicode'],
  ['a top that is no JSON', { ...good, 'golden.npy': text('tolerance') }, 'JSON'],
  ['a tolerance that is no number', { ...good, 'golden.npy': text('{"tolerance": "1"}') }, 'tolerance'],
  ['a case that is left out', { 'cases/1/inputs/x.npy': x, 'cases/1/outputs/y.npy': y }, 'no case 0'],
  ['no outputs', { 'cases/0/inputs/x.npy': x }, 'no outputs'],
  ['no inputs', { 'cases/0/outputs/y.npy': y }, 'no input x'],
  ['a name the model does not have', { ...good, 'cases/0/inputs/z.npy': x }, 'no input z'],
  ['an array at the top', { ...good, 'x.npy': x }, 'means nothing'],
  ['nothing', {}, 'cases'],
])('%s is refused', (_, entries, why) => {
  const told = codeOf(() => read(entries as Record<string, Uint8Array>));
  expect(told).toStartWith('GOLDEN_INVALID: golden.npz');
  expect(told).toContain(why);
});

test('bytes that are no archive are refused, whatever they are', () => {
  const archive = zipSync(good);
  const random = generator();
  for (let i = 0; i < 3000; i++) {
    const damaged = i % 3 === 0 ? archive.slice(0, Math.floor(random() * archive.length)) : archive.slice();
    for (let n = 0; n < 4; n++) damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    const told = codeOf(() => parseGolden(damaged, 'golden.npz', { inputs: [X], outputs: [Y] }));
    expect(told).toMatch(/^(done|GOLDEN_INVALID: |GOLDEN_DTYPE: )/);
  }
}, 60_000);

test('arrays that are damaged inside of a whole archive are refused, or read as numbers', () => {
  const random = generator();
  for (let i = 0; i < 3000; i++) {
    const damaged = x.slice();
    for (let n = 0; n < 2; n++) damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    const told = codeOf(() => read({ ...good, 'cases/0/inputs/x.npy': damaged }));
    expect(told).toMatch(/^(done|GOLDEN_INVALID: |GOLDEN_DTYPE: )/);
  }
}, 60_000);

/** The same numbers each time (xorshift32). */
function generator(): () => number {
  let state = 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
