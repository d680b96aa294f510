import { describe, expect, test } from 'bun:test';
import {
  answers,
  compareDebian,
  compareVersions,
  parseAge,
  parseLibraryQuery,
  parsePastTime,
  parseTime,
} from '../../src/inventory/index.ts';
import { codeOf, row } from './rows.ts';

describe('versions', () => {
  test('go by PEP 440 where both are release numbers', () => {
    expect(compareVersions('1.30.0', '1.30')).toBe(0);
    expect(compareVersions('1.9.0', '1.30')).toBeLessThan(0);
    expect(compareVersions('1.30rc1', '1.30')).toBeLessThan(0);
  });

  test('go by Debian’s policy where there is a revision, an epoch or a tilde', () => {
    expect(compareVersions('2.36-9+deb12u9', '2.36-9+deb12u10')).toBeLessThan(0);
    expect(compareVersions('3.0.14~rc1-1', '3.0.14-1')).toBeLessThan(0);
    expect(compareVersions('1:0.1', '9.9')).toBeGreaterThan(0);
  });

  const dpkg = Bun.which('dpkg');
  test.skipIf(dpkg === null)('are ordered as dpkg orders them', () => {
    const signs = ['1', '2', '10', '0', '.', '+', '-', '~', 'a', 'b', 'deb'];
    // A fixed sequence: a failure can be seen again.
    let seed = 42;
    const next = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    const word = () =>
      `${Math.floor(next() * 3)}${Array.from({ length: Math.floor(next() * 5) }, () => signs[Math.floor(next() * signs.length)]).join('')}`;
    const wrong: string[] = [];
    for (let i = 0; i < 150; i++) {
      const [a, b] = [word(), word()];
      const order = compareDebian(a, b);
      const operator = order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq';
      const { exitCode, stderr } = Bun.spawnSync([dpkg ?? '', '--compare-versions', a, operator, b]);
      if (exitCode !== 0 && stderr.length === 0) wrong.push(`${a} ${operator} ${b}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a question', () => {
  const iris = row({ libraries: { onnxruntime: '1.24.0', Scikit_Learn: '1.7.2' }, since: '2025-10-01T00:00:00Z' });

  test('asks for a library by its version', () => {
    const asks = (text: string) => answers(iris, { library: parseLibraryQuery(text) });
    expect(asks('onnxruntime')).toBe(true);
    expect(asks('onnxruntime<1.30')).toBe(true);
    expect(asks('onnxruntime>=1.24,<1.25')).toBe(true);
    expect(asks('onnxruntime>1.24')).toBe(false);
    expect(asks('scikit-learn==1.7.2')).toBe(true);
    expect(asks('torch')).toBe(false);
  });

  test('asks for age, owner, model, drift and words', () => {
    expect(answers(iris, { before: Date.parse('2026-01-01') })).toBe(true);
    expect(answers(iris, { before: Date.parse('2025-01-01') })).toBe(false);
    expect(answers(iris, { unowned: true })).toBe(false);
    expect(answers(row({ owner: null }), { unowned: true })).toBe(true);
    expect(answers(iris, { model: 'iris:0.0.1' })).toBe(true);
    expect(answers(iris, { model: 'sha256:aaaaaaaa' })).toBe(true);
    expect(answers(iris, { model: 'rose' })).toBe(false);
    expect(answers(iris, { drift: 'any' })).toBe(false);
    expect(answers(row({ drift: [{ kind: 'tag-moved', message: '' }] }), { drift: 'tag-moved' })).toBe(true);
    expect(answers(iris, { text: 'IRIS ml' })).toBe(true);
  });

  test('that is not well-formed is a mistake of usage', () => {
    for (const text of ['', '<1', 'a<', 'a=>1', 'a<1,,']) expect(codeOf(() => parseLibraryQuery(text))).toBe('USAGE');
    for (const text of ['', '180', 'd', '-1d', '1 d']) expect(codeOf(() => parseAge(text))).toBe('USAGE');
    for (const text of ['', 'yesterday', '2026-13-01', '1']) expect(codeOf(() => parseTime(text, 0))).toBe('USAGE');
    expect(parseTime('2026-06-01', 0)).toBe(Date.UTC(2026, 5, 1));
    expect(parseTime('1d', 86_400_000)).toBe(0);
  });

  test('about the past is not about the future', () => {
    const now = Date.UTC(2026, 5, 1);
    expect(codeOf(() => parsePastTime('2026-06-02', now))).toBe('USAGE');
    expect(parsePastTime('2026-06-01', now)).toBe(now);
    // The clock of who asks is a little ahead.
    expect(parsePastTime('2026-06-01T00:00:05Z', now)).toBe(now + 5000);
  });
});
