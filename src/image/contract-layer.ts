import { createHash } from 'node:crypto';
import { type AnyContract, parseContract, parseOpaqueContract } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import { CONTRACT_DIGEST, LABEL_PREFIX, OPAQUE_CONTRACT } from './facts.ts';
import { decompressed } from './layer/decompressed.ts';
import { readTarFile } from './layer/read-tar.ts';
import { CONTRACT_PATH } from './model-layer.ts';
import type { Descriptor, ImageConfig, ImageManifest } from './oci/schema.ts';

/** Samples are part of a contract, and may be pictures. */
const LIMIT = 64 * 2 ** 20;

/**
 * The whole contract of an image. An opaque model's is a label; an ONNX model's lies at the beginning of the last model layer, of
 * which no more is read, and is held to the digest that the config names.
 * @param read a layer's bytes as they come @throws CONTRACT_INVALID where it has none, or another; IMAGE_INVALID
 */
export async function readImageContract(
  reference: string,
  manifest: ImageManifest,
  config: ImageConfig,
  read: (layer: Descriptor) => AsyncIterable<Uint8Array>,
): Promise<AnyContract> {
  const labels = config.config.Labels ?? {};
  const opaque = labels[OPAQUE_CONTRACT];
  if (opaque !== undefined) return parseOpaqueContract(opaque, `the label ${OPAQUE_CONTRACT} of ${reference}`);
  const expected = labels[CONTRACT_DIGEST];
  const layer = contractLayer(manifest);
  if (expected === undefined || layer === undefined)
    throw new InlayError('CONTRACT_INVALID', `${reference} has no contract: inlay did not build it`, {
      hint: 'Build it with inlay build. A server image has none either, as it has no model.',
    });
  const bytes = await readTarFile(decompressed(read(layer), layer.mediaType), CONTRACT_PATH, LIMIT);
  const found = bytes && `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (bytes === undefined || found !== expected)
    throw new InlayError(
      'CONTRACT_INVALID',
      `${CONTRACT_PATH} of ${reference} is ${found ?? 'not there'}, and its label says ${expected}`,
      { hint: 'The image contradicts itself. Build it again from its sources.' },
    );
  return parseContract(new TextDecoder().decode(bytes), `${CONTRACT_PATH} of ${reference}`);
}

/** The layer that contract.json lies in; other tools may have lost what kind each layer is. */
export function contractLayer(manifest: ImageManifest): Descriptor | undefined {
  const models = manifest.layers.filter((layer) => layer.annotations?.[`${LABEL_PREFIX}layer`] === 'model');
  return models.at(-1) ?? manifest.layers.at(-1);
}
