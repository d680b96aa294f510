import type { AnyContract } from '../contract/index.ts';
import { type DescribedImage, describeImage, type ImageConfig, readImageContract } from '../image/index.ts';
import { type LocatedImage, type LocateOptions, locateImage } from './locate.ts';

/** An image with all that it promises. */
export interface ContractedImage {
  /** As the store names it, or with its digest where it came from a registry. */
  readonly reference: string;
  /** Of the index, or of the one manifest. */
  readonly digest: string;
  /** Of this platform's manifest. */
  readonly manifestDigest: string;
  readonly from: 'store' | 'registry';
  /** Sample, golden cases, metrics, CPU and memory, accepted findings and all; `isOpaque` tells the two kinds apart. */
  readonly contract: AnyContract;
  /** What labels and manifest say: OS, libraries, layers. */
  readonly described: DescribedImage;
  /** User, ports, environment and entry point of the image. */
  readonly config: ImageConfig['config'];
}

/**
 * The contract of an image, whole, as it lies in the image: from the store where it is there, else from its registry, of whose model
 * layer only the beginning is read.
 * @throws IMAGE_NOT_FOUND, PLATFORM_UNSUPPORTED, REGISTRY_NOT_FOUND, IMAGE_INVALID; CONTRACT_INVALID for an image without one, as a
 * server image or another tool's
 */
export async function contractOfImage(options: LocateOptions): Promise<ContractedImage> {
  return contractOf(await locateImage(options));
}

/** As `contractOfImage`, of an image that has been located. */
export async function contractOf(image: LocatedImage): Promise<ContractedImage> {
  const { reference, digest, manifestDigest, manifest, config, from, read } = image;
  const contract = await readImageContract(reference, manifest, config, read);
  return {
    reference,
    digest,
    manifestDigest,
    from,
    contract,
    described: describeImage(manifest, config),
    config: config.config,
  };
}
