import { expect, test } from 'bun:test';
import { serverFacts, serverLabels } from '../../src/image/facts.ts';
import type { ImageConfig } from '../../src/image/index.ts';
import { materialsOf } from '../supply/world.ts';

const { manifest: _, ...materials } = materialsOf({ mediaType: '', digest: '', size: 0 });
const facts = { os: 'debian 12', libraries: { onnxruntime: '1.30.0' } };
const config = (Labels: Record<string, string>): ImageConfig => ({
  architecture: 'amd64',
  os: 'linux',
  config: { Labels },
  rootfs: { type: 'layers', diff_ids: [] },
});

test('a server image says itself what it is made of', () => {
  expect(serverFacts(config(serverLabels(facts, materials, '0.1.0')))).toEqual({
    facts,
    materials,
    can: ['transform'],
  });
});

test('an image that does not say it is no server image', () => {
  const labels = serverLabels(facts, materials, '0.1.0');
  const { 'inlay.materials': __, ...without } = labels;
  expect(serverFacts(config(without))).toBeUndefined();
  for (const text of ['{', '{}']) expect(serverFacts(config({ ...labels, 'inlay.materials': text }))).toBeUndefined();
  expect(serverFacts(config({}))).toBeUndefined();
});
