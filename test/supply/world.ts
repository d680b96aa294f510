// What the tests of signatures and statements share: an image of inlay's kind in a layout, keys.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contract } from '../../src/contract/index.ts';
import {
  type BuildResult,
  type Descriptor,
  type Materials,
  MEDIA_TYPE,
  type OciLayout,
} from '../../src/image/index.ts';
import { readPublicKey, readSigningKey } from '../../src/supply/index.ts';

export const COSIGN = join(import.meta.dir, '..', 'data', 'cosign');
export const PASSWORD = 'pässw0rd';
const hex = (digit: string) => digit.repeat(64);

export const contract: Contract = {
  schemaVersion: 1,
  name: 'iris',
  version: '0.0.1',
  task: 'classification',
  model: {
    file: 'iris.onnx',
    digest: `sha256:${hex('a')}`,
    sizeBytes: 8,
    irVersion: 8,
    opsets: [{ domain: '', version: 15 }],
    producer: { name: 'skl2onnx', version: '1.20.0' },
    externalData: [{ file: 'iris.data', digest: `sha256:${hex('b')}`, sizeBytes: 9 }],
  },
  inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 3] }],
  prediction: 'probability',
  labels: { keys: ['0', '1', '2'], names: ['setosa', 'versicolor', 'virginica'] },
  sample: { generated: true, inputs: {} },
  golden: {
    file: 'golden.json',
    digest: `sha256:${hex('c')}`,
    cases: 1,
    inImage: true,
    environment: { numpy: '2.4.6', 'scikit-learn': '1.7.2' },
  },
  metrics: { accuracy: 0.97 },
  server: { cpu: '500m', memory: '300Mi' },
  owner: 'flowers-team',
};

export function materialsOf(manifest: Descriptor): Materials {
  return {
    manifest,
    os: { id: 'debian', versionId: '12', prettyName: 'debian 12' },
    base: [
      { name: 'libstdc++6', version: '12.2.0-14+deb12u1', architecture: 'amd64', sha256: hex('d') },
      { name: 'tzdata', version: '1:2026f', architecture: 'all', sha256: hex('e') },
    ],
    runtime: [
      { name: '@oven/bun-linux-x64', version: '1.4.5', licence: 'MIT', integrity: `sha512-${'A'.repeat(86)}==` },
    ],
    server: [
      { name: 'yaml', version: '2.9.1', licence: 'ISC' },
      { name: 'odd', version: '1.0.0' },
    ],
  };
}

/** An image whose labels and annotations are inlay's; `label` is what the config says of the model's digest. */
export async function image(
  layout: OciLayout,
  reference: string,
  { platforms = ['amd64'], label = contract.model.digest } = {},
): Promise<BuildResult> {
  const manifests: Descriptor[] = [];
  for (const architecture of platforms) {
    const layer = await layout.putBytes(`model ${reference}`, MEDIA_TYPE.layer);
    const text = { 'org.opencontainers.image.title': 'iris', 'org.opencontainers.image.version': '0.0.1' };
    const own = { 'inlay.version': '0.1.0', 'inlay.task': 'classification' };
    const Labels = {
      ...text,
      ...own,
      'inlay.model.digest': label,
      'inlay.inputs': '[]',
      'inlay.outputs': '[]',
      'inlay.os': 'debian 12',
      'inlay.libraries': '{}',
    };
    const config = await layout.putJson(
      { architecture, os: 'linux', config: { Labels }, rootfs: { type: 'layers', diff_ids: [layer.digest] } },
      MEDIA_TYPE.config,
    );
    const annotations = { 'inlay.model.digest': contract.model.digest };
    const manifest = await layout.putJson(
      { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer], annotations },
      MEDIA_TYPE.manifest,
    );
    manifests.push({ ...manifest, platform: { architecture, os: 'linux' } });
  }
  const index = await layout.putJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }, MEDIA_TYPE.index);
  await layout.tag(reference, index);
  return {
    image: { reference, digest: index.digest, platforms: [] },
    index,
    materials: manifests.map(materialsOf),
  };
}

/** cosign's own key pair. */
export const cosignKey = () => readSigningKey(join(COSIGN, 'cosign.key'), PASSWORD);
export const cosignPublic = () => readPublicKey(join(COSIGN, 'cosign.pub'));

/** A new key pair in PEM files. */
export function newKey(dir: string, name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const paths = { key: join(dir, `${name}.key`), pub: join(dir, `${name}.pub`) };
  writeFileSync(paths.key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(paths.pub, publicKey.export({ type: 'spki', format: 'pem' }));
  return { ...paths, privateKey };
}
