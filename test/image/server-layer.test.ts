import { expect, test } from 'bun:test';
import { bundleServer } from '../../src/image/server-layer.ts';

test('the bundled server names the npm packages in it, those of the playground too, with version and licence', async () => {
  const { packages, entries } = await bundleServer();
  const names = packages.map(({ name }) => name);
  expect(names).toEqual(names.toSorted());
  expect(names).toContain('swagger-ui-dist');
  expect(names).toContain('d3-dsv');
  expect(packages.find(({ name }) => name === 'yaml')).toMatchObject({ licence: 'ISC' });
  for (const { version } of packages) expect(version).toMatch(/^\d+\.\d+\.\d+/);
  // ONNX Runtime is in a layer of its own, and nothing that only builds may be in the image.
  expect(names.filter((name) => /onnxruntime|cyclonedx|sigstore|noble/.test(name))).toEqual([]);
  expect(entries.length).toBeGreaterThan(5);
}, 30_000);
