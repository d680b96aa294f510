import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { configJsonSchema, parseConfig } from '../../src/contract/index.ts';
import { isInlayError } from '../../src/error/index.ts';

function mistakes(text: string): string {
  try {
    parseConfig(text, 'inlay.yaml');
  } catch (error) {
    if (isInlayError(error) && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return '';
}

test('name, version and model are enough', () => {
  expect(parseConfig('name: iris\nversion: 0.0.1\nmodel: a.onnx\n', 'inlay.yaml')).toEqual({
    name: 'iris',
    version: '0.0.1',
    model: 'a.onnx',
  });
});

test('all mistakes are told at once, each with its line', () => {
  const told = mistakes('name: Iris!\nversion: 1.10\nmodle: x.onnx\nserber: {cpu: 1}\nserver: {cpu: lots}\n');
  expect(told).toContain('has 6 mistakes');
  expect(told).toContain('inlay.yaml:1:7: name: expected a DNS label');
  expect(told).toContain('inlay.yaml:2:10: version 1.10 is a number');
  expect(told).toContain('Write version: "1.10"');
  expect(told).toContain('inlay.yaml:3:1: unknown key modle\n      Did you mean model?');
  expect(told).toContain('inlay.yaml:4:1: unknown key serber\n      Did you mean server?');
  expect(told).toContain('inlay.yaml:5:15: server.cpu: expected a CPU quantity');
  expect(told).toContain('model is missing');
});

test.each([
  ['empty file', ''],
  ['a list', '- a\n- b\n'],
  ['broken YAML', 'name: [\n'],
  ['a key twice', 'name: a\nname: b\nversion: "1"\nmodel: x\n'],
  ['a name that is too long', `name: ${'a'.repeat(51)}\nversion: "1"\nmodel: x\n`],
  ['a name that ends in a hyphen', 'name: a-\nversion: "1"\nmodel: x\n'],
  ['a version with a blank', 'name: a\nversion: "1 0"\nmodel: x\n'],
  ['a version of 64 characters', `name: a\nversion: "${'1'.repeat(64)}"\nmodel: x\n`],
  ['a tag in the repository', 'name: a\nversion: "1"\nmodel: x\nimage: Registry/X:1 \n'],
  ['a transform, which there is none of yet', 'name: a\nversion: "1"\nmodel: x\ntransform: t.ts\n'],
])('%s is refused', (_, text) => {
  expect(mistakes(text)).not.toBe('');
});

test('the published JSON Schema is the one that is checked against', async () => {
  const published = await Bun.file(join(import.meta.dir, '../../schema/inlay.schema.json')).json();
  expect(published).toEqual(configJsonSchema());
});
