import type { RepositoryStock } from '../../registry/index.ts';
import type { Gap } from '../gap.ts';

const TOLERANCE_MS = 3_600_000;

/**
 * How old an image is, and when it was seen first, is told by this machine's clock: a wrong one would let new images go, now or later.
 * Registries tell theirs with every answer.
 * @param storage the registry's host
 */
export async function clockGap(stock: RepositoryStock, storage: string): Promise<Gap | undefined> {
  const theirs = await stock.time();
  const ours = Date.now();
  if (theirs === undefined || Math.abs(ours - theirs) < TOLERANCE_MS) return undefined;
  const [here, there] = [ours, theirs].map((ms) => new Date(ms).toISOString());
  return {
    about: storage,
    code: 'CLOCK_WRONG',
    message: `it is ${here} by this machine's clock and ${there} by the registry's: how old images are cannot be told`,
    hint: 'Set the clock that is wrong (date, timedatectl). Nothing of this look is remembered.',
  };
}
