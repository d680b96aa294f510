import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cutZipMap, moveLetterCase, readModelFacts, skeletonOf } from '../../src/contract/index.ts';
import { isInlayError } from '../../src/error/index.ts';

const reference = new Uint8Array(readFileSync(join(import.meta.dir, '../data/reference/iris_svc.onnx')));
const ours = new Uint8Array(readFileSync(join(import.meta.dir, '../../examples/iris/models/iris_svc.onnx')));

test('the facts of the reference model', () => {
  expect(readModelFacts(reference)).toEqual({
    irVersion: 4,
    opsets: [
      { domain: '', version: 9 },
      { domain: 'ai.onnx.ml', version: 1 },
    ],
    producer: { name: 'skl2onnx', version: '1.7.0' },
    metadata: {},
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [
      { name: 'output_label', datatype: 'INT64', shape: [-1] },
      { name: 'output_probability', datatype: 'FP32', shape: [-1, 3] },
    ],
    zipMaps: [{ input: 'probabilities', output: 'output_probability' }],
    letterCase: { inputs: [], asciiOnly: [] },
    asciiTokens: [],
    classLabels: { kind: 'int', values: [0, 1, 2] },
    operators: ['Cast', 'ai.onnx.ml.SVMClassifier', 'ai.onnx.ml.Scaler', 'ai.onnx.ml.ZipMap'],
    externalData: [],
    externalBytes: {},
  });
});

test('a cut model has no ZipMap, keeps its outputs and its weights', () => {
  for (const model of [reference, ours]) {
    const facts = readModelFacts(cutZipMap(model));
    expect(facts.zipMaps).toEqual([]);
    expect(facts.operators).toContain('Identity');
    expect(facts.outputs.map((output) => [output.name, output.datatype])).toEqual(
      readModelFacts(model).outputs.map((output) => [output.name, output.datatype]),
    );
    expect(cutZipMap(cutZipMap(model))).toEqual(cutZipMap(model));
  }
});

test('a model is cut in memory: the bytes given stay as they are', () => {
  const before = reference.slice();
  cutZipMap(reference);
  expect(reference).toEqual(before);
});

test('the skeleton leaves the weights out', () => {
  const weights = new Uint8Array(100_000).fill(7);
  const withWeights = model(field(1, text(8, 'w')), weights);
  expect(skeletonOf(withWeights).length).toBeLessThan(200);
  expect(readModelFacts(withWeights).outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [2] }]);
});

describe('damaged files', () => {
  const code = (bytes: Uint8Array): string => {
    try {
      readModelFacts(bytes);
      moveLetterCase(cutZipMap(bytes));
      return 'read';
    } catch (error) {
      if (isInlayError(error)) return error.code;
      throw error;
    }
  };

  test('cut off anywhere: refused or, at a seam, read; never a crash', () => {
    for (let length = 0; length < reference.length; length++) {
      expect(['MODEL_INVALID', 'MODEL_FORMAT', 'MODEL_UNSUPPORTED', 'read']).toContain(
        code(reference.subarray(0, length)),
      );
    }
  });

  test('20 000 with bytes changed at random', () => {
    let seed = 12345;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed % below;
    };
    for (let round = 0; round < 20_000; round++) {
      const bytes = (round % 2 === 0 ? reference : ours).slice();
      for (let change = 0; change <= random(4); change++) bytes[random(bytes.length)] = random(256);
      expect(['MODEL_INVALID', 'MODEL_FORMAT', 'MODEL_UNSUPPORTED', 'read']).toContain(code(bytes));
    }
  }, 60_000);

  test.each([
    ['nothing', ''],
    ['a pickle', '\x80\x04\x95\x1c\x00\x00\x00'],
    ['a zip archive (PyTorch)', 'PK\x03\x04\x14\x00'],
    ['HDF5 (Keras)', '\x89HDF\r\n\x1a\n'],
    ['JSON', '{"graph": 1}'],
  ])('%s is no model', (_, bytes) => {
    expect(code(Uint8Array.from(bytes, (c) => c.charCodeAt(0)))).toBe(bytes === '' ? 'MODEL_INVALID' : 'MODEL_FORMAT');
  });
});

/** Protobuf by hand: a length-delimited field. */
function field(number: number, ...parts: Uint8Array[]): Uint8Array {
  const value = Buffer.concat(parts);
  const length: number[] = [];
  for (let rest = value.length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest % 128) + 128);
  }
  return Buffer.concat([Uint8Array.from([number * 8 + 2, ...length]), value]);
}
function text(number: number, value: string): Uint8Array {
  return field(number, new TextEncoder().encode(value));
}

/** A model with one output y FP32 [2] and one initializer. */
function model(tensor: Uint8Array, raw: Uint8Array): Uint8Array {
  const dim = field(1, Uint8Array.from([8, 2]));
  const output = field(12, text(1, 'y'), field(2, field(1, Uint8Array.from([8, 1]), field(2, dim))));
  const graph = field(7, field(5, tensor, field(9, raw)), output);
  return Buffer.concat([Uint8Array.from([8, 4]), field(8, Uint8Array.from([16, 9])), graph]);
}
