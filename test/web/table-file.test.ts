import { describe, expect, test } from 'bun:test';
import { FileProblem, tableBodyOf } from '../../src/web/playground/model/table-file.ts';
import { pageOf, SEVERAL } from './pages.ts';

const NAMED = pageOf({ features: ['a', 'b', 'c', 'd'] });
const ROWS = [
  [1, 2, 3, 4],
  [5, 6, 7, 8],
];

const bodyOf = (page: typeof NAMED, text: string) => JSON.parse(tableBodyOf(page, text).json);
const problemOf = (page: typeof NAMED, text: string) => {
  try {
    return tableBodyOf(page, text).json;
  } catch (error) {
    if (error instanceof FileProblem) return error.message;
    throw error;
  }
};

describe('CSV', () => {
  test.each([
    ['without a header', '1,2,3,4\n5,6,7,8'],
    ['with a header', 'p,q,r,s\n1,2,3,4\n5,6,7,8\n'],
    ['with semicolons, \\r\\n and a byte order mark', '\uFEFF1;2;3;4\r\n5;6;7;8\r\n'],
    ['with tabs', '1\t2\t3\t4\n5\t6\t7\t8'],
    ['with quotes and spaces', '"p","q, or","r","s"\n"1", 2 ,3,4\n\n5,6,7,8'],
  ])('%s', (_, text) => {
    expect(bodyOf(pageOf(), text)).toEqual({ data: ROWS });
  });

  test('columns are found by name, in any order, and others are left out', () => {
    const found = tableBodyOf(NAMED, 'species,d,c,b,a\nsetosa,4,3,2,1\nvirginica,8,7,6,5');
    expect(JSON.parse(found.json)).toEqual({ data: ROWS });
    expect([found.rows, found.ignored]).toEqual([2, ['species']]);
  });

  test('several inputs of one column', () => {
    expect(bodyOf(SEVERAL, 'about,visits,subscribed\n"so, ""so""",1,true\nwell,2,0')).toEqual({
      inputs: { visits: [[1], [2]], subscribed: [true, false], about: [['so, "so"'], ['well']] },
    });
  });

  test('an empty cell is null where NaN is a missing value', () => {
    const page = pageOf({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2], missing: 'nan' }] });
    expect(bodyOf(page, '1,\nNaN,2')).toEqual({ data: [[1, null], [null, 2]] }); // biome-ignore format: a row a list
  });

  test('mistakes are told with their line', () => {
    expect(problemOf(pageOf(), '1,2,3,4\n1,2,three,4')).toBe('Line 2, column 3 is not a number.');
    expect(problemOf(NAMED, 'a,b,c,d\n1,2,,4')).toBe('Line 2, c needs a value.');
    expect(problemOf(pageOf(), '1,2,3,4\n1,2,3')).toBe('Line 2 has 3 columns, not 4.');
    expect(problemOf(NAMED, 'a,b,c,species\n1,2,3,x')).toBe('The header has no d.');
    expect(problemOf(pageOf(), 'p,q,r\n1,2,3')).toBe('The file has 3 columns; the model takes 4.');
    expect(problemOf(pageOf(), ' \n')).toBe('The file is empty.');
    expect(problemOf(pageOf(), 'a,b,c,d\n')).toBe('The file has no rows.');
  });

  test('is refused where the model takes no rows', () => {
    const image = pageOf({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3, 2, 2] }] });
    expect(problemOf(image, '1,2')).toStartWith('This model does not take a table');
  });
});

describe('JSON', () => {
  test('a list of rows, a list of records, or a body', () => {
    expect(bodyOf(pageOf(), JSON.stringify(ROWS))).toEqual({ data: ROWS });
    expect(bodyOf(NAMED, '[{"a":1}]')).toEqual({ records: [{ a: 1 }] });
    const body = tableBodyOf(pageOf(), JSON.stringify({ data: ROWS }));
    expect([body.rows, JSON.parse(body.json)]).toEqual([2, { data: ROWS }]);
  });

  test('mistakes are told', () => {
    expect(problemOf(pageOf(), '[[1')).toStartWith('The file is not JSON');
    expect(problemOf(SEVERAL, '[[1]]')).toStartWith('A list fits a model with one input');
  });
});
