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
  ['a transform without a file', 'name: a\nversion: "1"\nmodel: x\ntransform: ""\n'],
])('%s is refused', (_, text) => {
  expect(mistakes(text)).not.toBe('');
});

test('the published JSON Schema is the one that is checked against', async () => {
  const published = await Bun.file(join(import.meta.dir, '../../schema/inlay.schema.json')).json();
  expect(published).toEqual(configJsonSchema());
});

const OPAQUE = 'name: a\nversion: "1"\nbase: registry.example.com/ml/server:1\n';

test('a model in place of a path says its format, and where it lies in the image', () => {
  const text = `${OPAQUE}model: {path: m/, format: opaque, target: /models/iris/1, env: {MODEL_NAME: iris}}\ninputs: [{name: x, datatype: FP32, shape: [-1, 4]}]\n`;
  expect(parseConfig(text, 'inlay.yaml').model).toEqual({
    path: 'm/',
    format: 'opaque',
    target: '/models/iris/1',
    env: { MODEL_NAME: 'iris' },
  });
  expect(parseConfig('name: a\nversion: "1"\nmodel: {path: m.onnx, format: onnx}\n', 'inlay.yaml').model).toEqual({
    path: 'm.onnx',
    format: 'onnx',
  });
});

test.each([
  [
    'no base for an opaque model',
    'name: a\nversion: "1"\nmodel: {path: m, format: opaque, target: /m}\n',
    'needs an image of your own',
  ],
  [
    'apt for an opaque model',
    'name: a\nversion: "1"\nbase: apt\nmodel: {path: m, format: opaque, target: /m}\n',
    'inlay.yaml:3:7: base',
  ],
  ['no target', `${OPAQUE}model: {path: m, format: opaque}\n`, 'target is missing'],
  ['a target that leaves the root', `${OPAQUE}model: {path: m, format: opaque, target: /a/../b}\n`, 'model.target'],
  ['a relative target', `${OPAQUE}model: {path: m, format: opaque, target: m}\n`, 'model.target'],
  ['a key that is none', `${OPAQUE}model: {path: m, format: opaque, targe: /m}\n`, 'Did you mean target?'],
  ['another format', `${OPAQUE}model: {path: m, format: pickle, target: /m}\n`, 'model.format'],
  [
    'labels of an opaque model',
    `${OPAQUE}model: {path: m, format: opaque, target: /m}\nlabels: l.json\n`,
    'inlay.yaml:5:9: labels: does not apply',
  ],
  [
    'a target of an ONNX model',
    'name: a\nversion: "1"\nmodel: {path: m.onnx, format: onnx, target: /m}\n',
    'opaque models only',
  ],
  [
    'inputs of an ONNX model',
    'name: a\nversion: "1"\nmodel: m.onnx\ninputs: [{name: x, datatype: FP32, shape: [1]}]\n',
    'read from the ONNX file',
  ],
  ['a base that is no reference', 'name: a\nversion: "1"\nmodel: m.onnx\nbase: atp\n', 'expected apt'],
  [
    'a base beside a server image',
    'name: a\nversion: "1"\nmodel: m.onnx\nbase: apt\nserverImage: r.example.com/s:1\n',
    'has its base already',
  ],
])('%s is refused, and why is said', (_, text, told) => {
  expect(mistakes(text)).toContain(told);
});
