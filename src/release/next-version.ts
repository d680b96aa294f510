import type { Change } from '../check/index.ts';

/** The version of a model that nobody has released yet. */
export const FIRST_VERSION = '0.1.0';

/** How far a version moves. `same`: the very contract has been released already. */
export type VersionLevel = 'first' | 'same' | 'patch' | 'minor' | 'major';

export interface NextVersion {
  readonly version: string;
  readonly level: VersionLevel;
  /** What decided it. */
  readonly why: readonly string[];
}

/** Semantic Versioning 2.0.0 without pre-release and build. */
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;

function partsOf(version: string): [number, number, number] | undefined {
  const [, major, minor, patch] = VERSION.exec(version) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

/** The highest version among a repository's tags; tags that are no MAJOR.MINOR.PATCH do not count. */
export function highestVersion(tags: readonly string[]): string | undefined {
  return tags
    .filter((tag) => VERSION.test(tag))
    .toSorted((a, b) => compare(partsOf(a) ?? [0, 0, 0], partsOf(b) ?? [0, 0, 0]))
    .at(-1);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at === -1 ? 0 : (a[at] as number) - (b[at] as number);
}

/**
 * What `version: auto` becomes: what breaks clients moves the first number, what they may use or notice the second, another model of
 * the same contract the third.
 *
 *     0.1.0  labels setosa, … → cats      1.0.0
 *     0.1.0  output embedding added       0.2.0
 *     0.1.0  model digest, metric         0.1.1
 *
 * @param latest the highest version of the repository @param changes from its contract to the new one
 * @param same the contracts are the same but for their versions
 */
export function nextVersion(latest: string | undefined, changes: readonly Change[], same: boolean): NextVersion {
  const parts = latest === undefined ? undefined : partsOf(latest);
  if (latest === undefined || parts === undefined) return { version: FIRST_VERSION, level: 'first', why: [] };
  if (same) return { version: latest, level: 'same', why: [] };
  const told = changes.filter(({ what }) => what !== 'version');
  const breaking = told.filter(({ verdict }) => verdict === 'breaking');
  if (breaking.length > 0)
    return { version: bump(parts, 'major'), level: 'major', why: breaking.map(({ what }) => what) };
  const noticed = told.filter(({ what }) => !isWeights(what));
  if (noticed.length > 0)
    return { version: bump(parts, 'minor'), level: 'minor', why: noticed.map(({ what }) => what) };
  return { version: bump(parts, 'patch'), level: 'patch', why: told.map(({ what }) => what) };
}

/** The version after one whose contract is the same, of an image that is another: its base or server has changed. */
export function patchAfter(version: string): string {
  return bump(partsOf(version) ?? [0, 0, 0], 'patch');
}

/** What another training changes. */
function isWeights(what: string): boolean {
  return what === 'model' || what === 'model size' || what.startsWith('metric ');
}

function bump([major, minor, patch]: readonly [number, number, number], level: 'major' | 'minor' | 'patch'): string {
  if (level === 'major') return `${major + 1}.0.0`;
  return level === 'minor' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`;
}
