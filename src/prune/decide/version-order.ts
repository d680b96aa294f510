import { compareDebian } from '../../inventory/index.ts';

/** Tags that have an order of their own: `1.2.0`, `v3`, `2026-11-24`. */
export function isVersionTag(tag: string): boolean {
  return /^v?\d+([._+-]|$|(a|b|rc)\d)/i.test(tag);
}

/** A version tag, read once for many comparisons. */
export interface Version {
  readonly tag: string;
  /** Where it is numbers and points alone. */
  readonly numbers: readonly number[] | undefined;
  readonly debian: string;
}

export function versionOf(tag: string): Version {
  const debian = debianOf(tag);
  return { tag, debian, numbers: /^\d{1,15}(\.\d{1,15})*$/.test(debian) ? debian.split('.').map(Number) : undefined };
}

/** Which of two versions is newer: negative, 0, positive. A pre-release comes before its release (semver 2, PEP 440). */
export function compareVersionsOfTags(a: Version, b: Version): number {
  if (a.numbers === undefined || b.numbers === undefined) return compareDebian(a.debian, b.debian);
  // As Debian's rule has it, without taking texts apart.
  const { length } = a.numbers;
  for (let i = 0; i < length; i++) {
    const order = (a.numbers[i] ?? 0) - (b.numbers[i] ?? -1);
    if (order !== 0) return order;
  }
  return length - b.numbers.length;
}

export function compareVersionTags(a: string, b: string): number {
  return compareVersionsOfTags(versionOf(a), versionOf(b));
}

const PRERELEASE = /[-._]?(?=(?:alpha|beta|pre|preview|rc|dev|snapshot|a|b|c)[-._]?\d*(?:[-._+]|$))/gi;

/** Debian writes what comes before with a tilde, and orders any text: one rule for all tags of a repository. */
function debianOf(tag: string): string {
  return tag.replace(/^v(?=\d)/i, '').replace(PRERELEASE, (match, at: number) => (at === 0 ? match : '~'));
}
