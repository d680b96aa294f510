import { digestOf } from '../manifest/manifests.ts';
import type { Repository } from '../repository.ts';
import { readBlob } from './download.ts';

const LIMIT = 8 * 2 ** 20;

/** A blob in memory, checked against its digest: a config, a signature, an SBOM. @throws INTEGRITY_MISMATCH, IMAGE_INVALID */
export async function readSmallBlob(
  repository: Repository,
  blob: { readonly digest: string; readonly size: number },
): Promise<Uint8Array> {
  const step = `reading ${blob.digest}`;
  if (blob.size > LIMIT)
    throw repository.failure('IMAGE_INVALID', step, `${blob.size} bytes are too many for a document`, {
      hint: 'What is there is another kind of artifact.',
    });
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBlob(repository, blob)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) === blob.digest) return bytes;
  throw repository.failure('INTEGRITY_MISMATCH', step, 'the bytes have another digest', {
    hint: `The copy in ${repository.host} is damaged: push the image again.`,
  });
}
