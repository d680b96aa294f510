import { compare as comparePep440, valid } from '@renovatebot/pep440';

/**
 * Which of two versions is newer: negative, 0, positive. Libraries in images are Python's, npm's and Debian's. Release numbers with
 * pre-releases go by PEP 440 (1.30 is 1.30.0, 1.30rc1 is before it); whatever has a Debian revision, an epoch or a tilde by Debian's policy.
 */
export function compareVersions(a: string, b: string): number {
  const [one, two] = [upstream(a), upstream(b)];
  return one !== undefined && two !== undefined ? comparePep440(one, two) : compareDebian(a, b);
}

/** Debian writes revisions, epochs and rebuilds in signs that PEP 440 would read as something else. */
function upstream(version: string): string | undefined {
  return /[~:+]|-\d/.test(version) || valid(version) === null ? undefined : version;
}

/** deb-version(7): epoch, upstream version, revision. */
export function compareDebian(a: string, b: string): number {
  const [one, two] = [parts(a), parts(b)];
  return (
    Math.sign(one.epoch - two.epoch) ||
    compareStretches(one.version, two.version) ||
    compareStretches(one.revision, two.revision)
  );
}

function parts(text: string) {
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon === -1 ? 0 : Number(text.slice(0, colon)) || 0,
    version: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '' : rest.slice(dash + 1),
  };
}

/** Stretches without digits and numbers in turn. */
function compareStretches(a: string, b: string): number {
  const stretches = (text: string) =>
    [...text.matchAll(/(\D*)(\d*)/g)].map(([, words = '', digits = '']) => ({ words, digits }));
  const [one, two] = [stretches(a), stretches(b)];
  for (let i = 0; i < Math.max(one.length, two.length); i++) {
    const [x, y] = [one[i] ?? EMPTY, two[i] ?? EMPTY];
    const order = compareWords(x.words, y.words) || compareNumbers(x.digits, y.digits);
    if (order !== 0) return order;
  }
  return 0;
}

const EMPTY = { words: '', digits: '' };

/** Letters before other signs, a tilde before everything, the end of the part included. */
function compareWords(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = rank(a[i]) - rank(b[i]);
    if (order !== 0) return Math.sign(order);
  }
  return 0;
}

function rank(sign: string | undefined): number {
  if (sign === undefined) return 0;
  if (sign === '~') return -1;
  return /[A-Za-z]/.test(sign) ? sign.charCodeAt(0) : sign.charCodeAt(0) + 256;
}

function compareNumbers(a: string, b: string): number {
  const [one, two] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return Math.sign(one.length - two.length) || (one < two ? -1 : one > two ? 1 : 0);
}
