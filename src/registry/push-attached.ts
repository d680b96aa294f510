import { type OciLayout, referrersInLayout } from '../image/index.ts';
import { layoutBlob } from './blob/blob-source.ts';
import { uploadBlob } from './blob/upload.ts';
import { type Manifest, parseManifest } from './manifest/manifests.ts';
import { putReferrers, readReferrers } from './manifest/referrers.ts';
import type { Repository } from './repository.ts';

/**
 * Pushes what is attached to manifests in a layout: signatures, SBOMs, provenance. What the registry lists already is not sent.
 * @returns the digests of all that is attached
 */
export async function pushAttached(
  repository: Repository,
  layout: OciLayout,
  subjects: readonly Manifest[],
): Promise<string[]> {
  const attached: string[] = [];
  const sent = new Set<string>();
  for (const { descriptor: subject } of subjects) {
    const here = await referrersInLayout(layout, subject.digest);
    if (here.length === 0) continue;
    const there = new Set((await readReferrers(repository, subject.digest)).referrers.map(({ digest }) => digest));
    const missing: Manifest[] = [];
    for (const { digest } of here) {
      attached.push(digest);
      const manifest = there.has(digest) ? undefined : parseManifest(await layout.readBytes(digest));
      if (!manifest) continue;
      for (const blob of manifest.blobs.filter((one) => !sent.has(one.digest))) {
        await uploadBlob(repository, layoutBlob(layout, blob));
        sent.add(blob.digest);
      }
      missing.push(manifest);
    }
    await putReferrers(repository, missing, subject.digest);
  }
  return attached;
}
