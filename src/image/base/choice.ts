import type { Lock } from './lock.ts';

/** The base where nobody named one and there is no apt: glibc, libstdc++, certificates, no shell. */
export const DEFAULT_BASE = 'gcr.io/distroless/cc-debian12:latest';

/** What an image is to stand on. */
export type BaseChoice = { readonly kind: 'apt' } | { readonly kind: 'image'; readonly reference: string };

/**
 * Which base is meant. Where nobody says, the lock decides before the machine does: the same project gives the same image everywhere.
 * @param asked `--base`, or else `base:` of inlay.yaml
 */
export function chooseBase(
  asked: string | undefined,
  lock: Pick<Lock, 'base' | 'baseImages'> | undefined,
  hasApt: boolean,
): BaseChoice {
  if (asked === 'apt') return { kind: 'apt' };
  if (asked !== undefined) return { kind: 'image', reference: asked };
  const pinned = lock?.baseImages?.[DEFAULT_BASE] !== undefined;
  if (lock?.base !== undefined && (hasApt || !pinned)) return { kind: 'apt' };
  return pinned || !hasApt ? { kind: 'image', reference: DEFAULT_BASE } : { kind: 'apt' };
}
