import { compareDebian } from '../../inventory/index.ts';

/** Tags that have an order of their own: `1.2.0`, `v3`, `2026-11-24`. */
export function isVersionTag(tag: string): boolean {
  return /^v?\d+([._+-]|$|(a|b|rc)\d)/i.test(tag);
}

/** Which of two version tags is newer: negative, 0, positive. A pre-release comes before its release (semver 2, PEP 440). */
export function compareVersionTags(a: string, b: string): number {
  return compareDebian(debianOf(a), debianOf(b));
}

const PRERELEASE = /[-._]?(?=(?:alpha|beta|pre|preview|rc|dev|snapshot|a|b|c)[-._]?\d*(?:[-._+]|$))/gi;

/** Debian writes what comes before with a tilde, and orders any text: one rule for all tags of a repository. */
function debianOf(tag: string): string {
  return tag.replace(/^v(?=\d)/i, '').replace(PRERELEASE, (match, at: number) => (at === 0 ? match : '~'));
}
