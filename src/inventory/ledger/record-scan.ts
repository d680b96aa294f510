import { InlayError } from '../../error/index.ts';
import type { ImageFacts } from '../image/facts.ts';
import type { ScannedCluster } from '../scan/scan.ts';
import type { Ledger } from './ledger.ts';
import { takeWriterLock } from './writer-lock.ts';

/**
 * Writes a single look at clusters into the ledger; what was between two looks is a gap.
 * @param at ms since 1970 @throws LEDGER_UNAVAILABLE where a hub writes it
 */
export async function recordScan(
  ledger: Ledger,
  clusters: readonly ScannedCluster[],
  images: readonly ImageFacts[],
  at: number,
): Promise<void> {
  const lock = await takeWriterLock(ledger.url, ledger.dialect);
  if (!lock)
    throw new InlayError('LEDGER_UNAVAILABLE', 'a hub writes this ledger already', {
      hint: 'It sees what you see: leave --record out.',
    });
  try {
    for (const { uid, context, rows, journals } of clusters) {
      const named = new Set(rows.flatMap(({ image }) => image.index ?? []));
      const writer = await ledger.cluster(uid, context);
      await writer.write({
        at,
        rows,
        gone: [],
        whole: true,
        journals,
        images: images.filter(({ digest }) => named.has(digest)),
      });
    }
  } finally {
    await lock.release();
  }
}
