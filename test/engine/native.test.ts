import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { allocate, type Datatype, type Tensor } from '../../src/contract/index.ts';
import { releaseCodePages } from '../../src/engine/index.ts';
import { type NativeModel, openNative } from '../../src/engine/native/native-model.ts';
import { openNodeModel } from '../../src/engine/native/node-model.ts';
import { FLOAT, model, node, STRING, value } from '../onnx-builder.ts';
import { everyType, TYPES } from '../server/oip/every-type.ts';

const OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1, config: { 'session.intra_op.allow_spinning': '0' } };
const open = (bytes: Uint8Array) => openNative(bytes, OPTIONS);

let every: NativeModel;
let everyByNode: NativeModel;
beforeAll(async () => {
  every = await open(everyType());
  everyByNode = await openNodeModel(everyType(), OPTIONS);
});
afterAll(() => {
  every.close();
  everyByNode.close();
});

/** Bytes at random, as values of each datatype; `salt` makes others. */
function tensorOf(datatype: Datatype, rows: number, salt: number): Tensor {
  const shape = [rows, 2];
  const next = (i: number) => (Math.imul(i + 1, 2654435761) ^ Math.imul(salt, 40503)) >>> 0;
  if (datatype === 'BYTES')
    return {
      datatype,
      shape,
      data: Array.from({ length: rows * 2 }, (_, i) => ['', 'é漢', 'a b'][next(i) % 3] as string),
    };
  const data = allocate(datatype, rows * 2) as Uint8Array;
  const bytes = new Uint8Array(data.buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = datatype === 'BOOL' ? next(i) & 1 : next(i) >>> 8;
  return { datatype, shape, data };
}

const feedsOf = (rows: number, salt: number) =>
  Object.fromEntries(TYPES.map((type) => [`in_${type}`, tensorOf(type, rows, salt)]));

const bitsOf = ({ data }: Tensor) =>
  Array.isArray(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);

test('every datatype comes back bit for bit, NaN’s bits too, and as onnxruntime-node’s binding gives it', () => {
  const names = TYPES.map((type) => `out_${type}`);
  expect(every.inputNames).toEqual(everyByNode.inputNames);
  expect(every.outputNames).toEqual(everyByNode.outputNames);
  for (const rows of [1, 2, 33, 5000]) {
    const feeds = feedsOf(rows, rows);
    const answers = every.run(feeds, names);
    const other = everyByNode.run(feeds, names);
    for (const type of TYPES) {
      const given = feeds[`in_${type}`] as Tensor;
      const answer = answers[`out_${type}`] as Tensor;
      expect([answer.datatype, answer.shape]).toEqual([type, [rows, 2]]);
      expect(bitsOf(answer)).toEqual(bitsOf(given));
      expect(bitsOf(other[`out_${type}`] as Tensor)).toEqual(bitsOf(given));
    }
  }
});

test('answers are the caller’s own: a later run and a collection leave them as they are', () => {
  const first = every.run(feedsOf(3, 1), ['out_FP32', 'out_BYTES']);
  const kept = structuredClone(first);
  for (let i = 2; i < 50; i++) every.run(feedsOf(3, i), ['out_FP32', 'out_BYTES']);
  Bun.gc(true);
  expect(first).toEqual(kept);
});

test('a part of an array, of any alignment that its datatype has, is read from where it lies', () => {
  const whole = Float32Array.from({ length: 12 }, (_, i) => i);
  const feeds = {
    ...feedsOf(2, 1),
    in_FP32: { datatype: 'FP32', shape: [2, 2], data: whole.subarray(3, 7) } as Tensor,
  };
  expect(every.run(feeds, ['out_FP32']).out_FP32?.data).toEqual(Float32Array.of(3, 4, 5, 6));
});

test('inputs in another order, and other outputs, in between', () => {
  const feeds = feedsOf(1, 7);
  const turned = Object.fromEntries(Object.entries(feeds).reverse());
  for (const given of [feeds, turned, feeds])
    expect(every.run(given, ['out_INT64', 'out_BOOL'])).toEqual({
      out_INT64: feeds.in_INT64 as Tensor,
      out_BOOL: feeds.in_BOOL as Tensor,
    });
});

test('a text with a NUL in it is that text', async () => {
  const texts = await open(
    model([value(11, 'x', STRING, [-1]), value(12, 'y', STRING, [-1]), node('Identity', ['x'], ['y'])]),
  );
  const data = ['a\0b', '\0', '', 'é'.repeat(5000)];
  expect(texts.run({ x: { datatype: 'BYTES', shape: [4], data } }, ['y']).y?.data).toEqual(data);
  texts.close();
});

test('no rows, no dimensions and many dimensions', async () => {
  const any = await open(
    model([value(11, 'x', FLOAT, undefined), value(12, 'y', FLOAT, undefined), node('Neg', ['x'], ['y'])]),
  );
  for (const shape of [[], [0], [0, 4], [1, 1, 1, 1, 1, 1, 2]]) {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(1.5);
    const answer = any.run({ x: { datatype: 'FP32', shape, data } }, ['y']).y;
    expect(answer).toEqual({ datatype: 'FP32', shape, data: data.map((one) => -one) });
  }
  any.close();
});

test('what is wrong throws with ONNX Runtime’s own words, and the model goes on', async () => {
  const feeds = feedsOf(1, 1);
  const fails: (() => unknown)[] = [
    () => every.run({ in_FP32: feeds.in_FP32 as Tensor }, ['out_FP32']),
    () => every.run(feeds, ['no such output']),
    () => every.run({ ...feeds, in_FP32: feeds.in_FP64 as Tensor }, ['out_FP32']),
    () => every.run({ ...feeds, in_FP32: { ...feeds.in_FP32, shape: [3, 3] } as Tensor }, ['out_FP32']),
    () => every.run({ ...feeds, more: feeds.in_FP32 as Tensor }, ['out_FP32']),
    () =>
      every.run(
        feeds,
        [...TYPES, ...TYPES].map((type) => `out_${type}`),
      ),
  ];
  for (const fail of fails) expect(fail).toThrow(/\w/);
  expect(() => every.run(feeds, ['no such output'])).toThrow(/no such output/i);
  expect(every.run(feeds, ['out_UINT8']).out_UINT8).toEqual(feeds.in_UINT8 as Tensor);
  await expect(open(new Uint8Array([1, 2, 3]))).rejects.toThrow(/\w/);
  await expect(openNative('/nonexistent.onnx', OPTIONS)).rejects.toThrow(/nonexistent/);
});

test.skipIf(process.platform !== 'linux')('code that is given back comes back when it is run', () => {
  const resident = () => Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const before = resident();
  releaseCodePages();
  expect(resident()).toBeLessThan(before);
  const feeds = feedsOf(4, 4);
  expect(every.run(feeds, ['out_FP64']).out_FP64).toEqual(feeds.in_FP64 as Tensor);
});
