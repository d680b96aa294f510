import { expect, test } from 'bun:test';
import { moveLetterCase, readModelFacts } from '../../src/contract/index.ts';
import {
  FLOAT,
  intAttribute,
  model,
  node,
  type Part,
  STRING,
  textAttribute,
  textsAttribute,
  value,
} from '../onnx-builder.ts';
import { contractOf, withEngine } from './loading.ts';

// Without help none of these loads: neither this machine nor an image has the locale en_US.UTF-8.
const LOWER = textAttribute('case_change_action', 'LOWER');
const text = (name: string, field: 11 | 12 = 11, ...shape: number[]) => value(field, name, STRING, shape);
const normalize = (from: string, to: string, ...attributes: Part[]) =>
  node('StringNormalizer', [from], [to], attributes.flat());
const graph = (...parts: Part[]) => model(parts, { opset: 18 });

/** What a graph answers to texts of one row. */
async function answer(bytes: Uint8Array, texts: readonly string[], output = 'y'): Promise<unknown> {
  const made = await contractOf({}, bytes);
  const x = { datatype: 'BYTES' as const, shape: [...(made.contract.inputs[0]?.shape ?? [])], data: [...texts] };
  x.shape = x.shape.length === 1 ? [texts.length] : [1, texts.length];
  return withEngine(made, async (engine) => (await engine.run({ x }, [output]))[output]?.data);
}

const direct = (...attributes: Part[]) =>
  graph(text('x', 11, -1), text('y', 12, -1), normalize('x', 'y', ...attributes));

test('text is lower-cased as Python does it, in every script', async () => {
  expect(await answer(direct(LOWER), ['Ab É Ñ', 'İZMİR', 'ẞ ß', 'ΣΑΣ', 'ЖЩ', '𐐀', 'DŽ', ''])).toEqual([
    'ab é ñ',
    'i̇zmi̇r',
    'ß ß',
    'σας',
    'жщ',
    '𐐨',
    'dž',
    '',
  ]);
});

test('upper-cased too, whatever locale the model names', async () => {
  const upper = textAttribute('case_change_action', 'UPPER');
  expect(await answer(direct(upper, textAttribute('locale', 'tr_TR')), ['straße', 'é'])).toEqual(['STRASSE', 'É']);
});

test('stop words that do not mind the case are dropped in any case', async () => {
  const stop = textsAttribute('stopwords', ['The', 'ÉTÉ']);
  expect(await answer(direct(LOWER, stop), ['THE', 'Cat', 'été'])).toEqual(['cat']);
});

test('of two columns one is lower-cased, and the other stays', async () => {
  const bytes = graph(
    text('x', 11, -1, 2),
    text('y', 12, 1, -1),
    text('z', 12, -1, 1),
    node('Split', ['x'], ['a', 'z'], [...intAttribute('axis', 1), ...intAttribute('num_outputs', 2)]),
    node('Flatten', ['a'], ['b'], intAttribute('axis', 0)),
    normalize('b', 'y', LOWER),
  );
  expect(await answer(bytes, ['É', 'É'])).toEqual(['é']);
  expect(await answer(bytes, ['É', 'É'], 'z')).toEqual(['É']);
});

test('two normalizers share what they can', () => {
  const bytes = graph(
    text('x', 11, -1),
    text('y', 12, -1),
    text('z', 12, -1),
    node('Identity', ['x'], ['a']),
    normalize('a', 'y', LOWER),
    normalize('a', 'z', LOWER),
  );
  const { inputs, bytes: moved } = moveLetterCase(bytes);
  expect(inputs).toEqual([{ name: 'x/inlay-lower', of: 'x', change: 'lower' }]);
  expect(Buffer.from(moved).toString('latin1').split('a/inlay-lower').length - 1).toBe(3);
});

test('text that is made inside of the graph is changed in ASCII only, and the facts say so', () => {
  const bytes = graph(
    text('x', 11, -1),
    text('y', 12, -1),
    node('StringConcat', ['x', 'x'], ['a']),
    normalize('a', 'y', LOWER),
  );
  expect(readModelFacts(bytes).letterCase).toEqual({ inputs: [], asciiOnly: ['StringNormalizer'] });
});

test('stop words that mind the case see the text as it came', async () => {
  const bytes = direct(LOWER, intAttribute('is_case_sensitive', 1), textsAttribute('stopwords', ['The']));
  expect(readModelFacts(bytes).letterCase.asciiOnly).toEqual(['StringNormalizer']);
  expect(await answer(bytes, ['The', 'THE', 'É'])).toEqual(['the', 'É']);
});

test('a normalizer that changes no case, and a model without one, stay as they are', () => {
  for (const bytes of [
    direct(),
    model([value(11, 'x', FLOAT, [-1, 2]), value(12, 'y', FLOAT, [-1, 2]), node('Neg', ['x'], ['y'])]),
  ]) {
    expect(moveLetterCase(bytes)).toEqual({ bytes, inputs: [], asciiOnly: [] });
  }
});
