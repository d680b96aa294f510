import { expect, test } from 'bun:test';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { sbomOf } from '../../src/supply/sbom.ts';
import { contract, materialsOf } from './world.ts';

const manifest = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: `sha256:${'1'.repeat(64)}`,
  size: 2,
  platform: { os: 'linux', architecture: 'amd64' },
};
const sbom = (of = contract) => new TextDecoder().decode(sbomOf(of, materialsOf(manifest), '0.1.0'));
interface Component {
  type: string;
  name: string;
  purl?: string;
  hashes?: { alg: string; content: string }[];
  licenses?: unknown[];
  modelCard?: unknown;
}
const components = (text: string) => (JSON.parse(text) as { components: Component[] }).components;

test('an SBOM is CycloneDX 1.6 to the letter of its strict schema', async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  expect(await validator.validate(sbom())).toBeNull();
  const { golden: _, metrics: __, labels: ___, ...bare } = contract;
  expect(await validator.validate(sbom(bare))).toBeNull();
  // The validator can say no.
  expect(await validator.validate(sbom().replace('"version":1', '"version":"1"'))).not.toBeNull();
});

test('the same image gives the same bytes', () => {
  expect(sbom()).toBe(sbom());
  expect(sbom()).not.toContain('timestamp');
});

test('it names the base, the runtime, what is bundled and the model, with the addresses that scanners look up', () => {
  const all = components(sbom());
  const by = (name: string) => all.find((one) => one.name === name);
  expect(by('libstdc++6')).toMatchObject({
    purl: 'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
    hashes: [{ alg: 'SHA-256', content: 'd'.repeat(64) }],
  });
  expect(by('tzdata')?.purl).toBe('pkg:deb/debian/tzdata@1:2026f?arch=all&distro=debian-12');
  expect(by('bun-linux-x64')).toMatchObject({
    purl: 'pkg:npm/%40oven/bun-linux-x64@1.4.5',
    hashes: [{ alg: 'SHA-512', content: '0'.repeat(128) }],
    licenses: [{ license: { id: 'MIT' } }],
  });
  expect(by('yaml')).toMatchObject({ purl: 'pkg:npm/yaml@2.9.1', licenses: [{ license: { id: 'ISC' } }] });
  expect(by('odd')?.licenses).toBeUndefined();
  expect(by('iris.data')).toMatchObject({ type: 'data', hashes: [{ content: 'b'.repeat(64) }] });
});

test('the model has a card: task, inputs, outputs, metrics, and what training imported', () => {
  const model = components(sbom()).find((one) => one.type === 'machine-learning-model');
  expect(model).toMatchObject({
    name: 'iris',
    version: '0.0.1',
    hashes: [{ alg: 'SHA-256', content: 'a'.repeat(64) }],
    modelCard: {
      modelParameters: {
        task: 'classification',
        inputs: [{ format: 'float_input FP32 [-1, 4]' }],
        outputs: [{ format: 'probability FP32 [-1, 3]' }],
      },
      quantitativeAnalysis: { performanceMetrics: [{ type: 'accuracy', value: '0.97' }] },
    },
  });
  expect(model?.modelCard).toHaveProperty('properties');
  expect(JSON.stringify(model?.modelCard)).toContain('{"name":"inlay:training:scikit-learn","value":"1.7.2"}');
});

test('a transform is a part of its own, with the npm packages that are bundled into it', async () => {
  const transform = {
    file: 'transform.ts',
    digest: `sha256:${'7'.repeat(64)}`,
    accepts: ['image/png', 'image/jpeg'],
    postprocess: true,
  };
  // yaml is in the server too, in the same version: one component, of which both depend.
  const packages = [
    { name: 'fast-png', version: '8.0.0', licence: 'MIT' },
    { name: 'own-words', version: '0.0.0', licence: 'SEE LICENSE IN file' },
    { name: 'yaml', version: '2.9.1', licence: 'ISC' },
  ];
  const bytes = sbomOf({ ...contract, transform }, { ...materialsOf(manifest), transform: packages }, '0.1.0');
  const text = new TextDecoder().decode(bytes);
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
  const all = components(text);
  expect(all.find((one) => one.name === 'transform.ts')).toMatchObject({
    type: 'application',
    hashes: [{ alg: 'SHA-256', content: '7'.repeat(64) }],
  });
  expect(all.filter((one) => one.name === 'yaml').length).toBe(1);
  const { dependencies } = JSON.parse(text) as { dependencies: { ref: string; dependsOn?: string[] }[] };
  const of = (ref: string) => dependencies.find((one) => one.ref === ref)?.dependsOn;
  expect(of('transform')).toEqual(['pkg:npm/fast-png@8.0.0', 'pkg:npm/own-words@0.0.0', 'pkg:npm/yaml@2.9.1']);
  expect(of('server')).toContain('pkg:npm/yaml@2.9.1');
  expect(of('image')).toContain('transform');
});
