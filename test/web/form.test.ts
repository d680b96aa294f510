import { describe, expect, test } from 'bun:test';
import { bodyOf } from '../../src/web/playground/model/body.ts';
import { formModelOf } from '../../src/web/playground/model/form-model.ts';
import type { PageModel } from '../../src/web/playground/model/page-model.ts';
import { pageOf, SEVERAL } from './pages.ts';

const fieldsOf = (page: PageModel) => formModelOf(page).flatMap((group) => group.fields);
const asShown = (page: PageModel) => Object.fromEntries(fieldsOf(page).map((field) => [field.id, field.value]));

/** The body where the form was edited, by label. */
function edited(page: PageModel, edits: Record<string, string> = {}) {
  const texts = asShown(page);
  for (const [label, text] of Object.entries(edits)) {
    const field = fieldsOf(page).find((one) => one.label === label);
    if (!field) throw new Error(`no ${label}`);
    texts[field.id] = text;
  }
  const body = bodyOf(formModelOf(page), texts);
  return 'json' in body ? JSON.parse(body.json) : Object.fromEntries(body.problems);
}

describe('fields', () => {
  test('a column each, with the sample in it', () => {
    expect(fieldsOf(pageOf()).map(({ label, control, value }) => [label, control, value])).toEqual([
      ['column 1', 'number', '5.1'],
      ['column 2', 'number', '3.5'],
      ['column 3', 'number', '1.4'],
      ['column 4', 'number', '0.2'],
    ]);
  });

  test('columns are called as the contract calls them', () => {
    const labels = fieldsOf(pageOf({ features: ['a', 'b', 'c', 'd'] })).map((field) => field.label);
    expect(labels).toEqual(['a', 'b', 'c', 'd']);
  });

  test('the control follows the datatype', () => {
    expect(fieldsOf(SEVERAL).map(({ label, control, value, range }) => [label, control, value, range])).toEqual([
      ['visits', 'integer', '7', [-2147483648, 2147483647]],
      ['subscribed', 'bool', 'true', undefined],
      ['about', 'text', 'a "word"', undefined],
    ]);
  });

  test.each([
    ['a higher rank', [-1, 2, 2], [[[1, 2], [3, 4]]]], // biome-ignore format: nested as the tensor is
    ['a second free dimension', [-1, -1], [[1, 2]]],
    ['more columns than a form holds', [-1, 65], [new Array(65).fill(0)]],
    ['several fixed rows', [2, 2], [[1, 2], [3, 4]]], // biome-ignore format: nested as the tensor is
  ])('%s is a JSON text with the sample', (_, shape, sample) => {
    const page = pageOf({ inputs: [{ name: 'x', datatype: 'FP32', shape }], sample: { x: sample } });
    const [field] = fieldsOf(page);
    expect([fieldsOf(page).length, field?.control]).toEqual([1, 'json']);
    expect(JSON.parse(field?.value ?? '')).toEqual(sample);
    expect(edited(page)).toEqual({ data: sample });
  });
});

describe('the body', () => {
  test('is the sample as long as nothing is edited', () => {
    expect(edited(pageOf())).toEqual({ data: [[5.1, 3.5, 1.4, 0.2]] });
    expect(edited(SEVERAL)).toEqual({ inputs: SEVERAL.sample });
  });

  test.each([
    [[4], [1, 2, 3, 4]],
    [[1, 4], [[1, 2, 3, 4]]],
    [[-1, 4], [[1, 2, 3, 4]]],
  ])('has the rank of %p', (shape, data) => {
    const page = pageOf({ inputs: [{ name: 'x', datatype: 'FP32', shape }], sample: { x: data } });
    expect(edited(page)).toEqual({ data });
  });

  test('has values of the datatype', () => {
    expect(edited(SEVERAL, { visits: '-3', subscribed: 'false', about: '7' })).toEqual({
      inputs: { visits: [[-3]], subscribed: [false], about: [['7']] },
    });
    expect(edited(pageOf(), { 'column 1': ' 1e-3 ' })).toEqual({ data: [[0.001, 3.5, 1.4, 0.2]] });
  });

  test('tells what is wrong at each field', () => {
    expect(edited(pageOf(), { 'column 1': '', 'column 3': '1,5', 'column 4': '0x10' })).toEqual({
      'f0-0': 'needs a value',
      'f0-2': 'is not a number',
      'f0-3': 'is not a number',
    });
    expect(edited(SEVERAL, { visits: '1.5' })).toEqual({ 'f0-0': 'is not a whole number' });
    expect(edited(SEVERAL, { visits: '2147483648' })).toEqual({ 'f0-0': 'must lie from -2147483648 to 2147483647' });
    expect(edited(pageOf(), { 'column 1': '1e999' })).toEqual({ 'f0-0': 'is not a number' });
  });

  test('has null for an empty field where NaN is a missing value', () => {
    const page = pageOf({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2], missing: 'nan' }],
      sample: { x: [[1, null]] },
    });
    expect(fieldsOf(page).map((field) => field.value)).toEqual(['1', '']);
    expect(edited(page)).toEqual({ data: [[1, null]] });
  });

  test('of a sample too large for the page is {}, the server’s own', () => {
    const { sample, ...page } = pageOf({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3, 224, 224] }] });
    expect(edited(page)).toEqual({});
    expect(edited(page, { 'x as JSON': '[[[[1]]]]' })).toEqual({ data: [[[[1]]]] });
    expect(edited(page, { 'x as JSON': '[[1' })['f0-json']).toStartWith('is not JSON');
  });
});
