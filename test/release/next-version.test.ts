import { expect, test } from 'bun:test';
import type { Change } from '../../src/check/index.ts';
import { highestVersion, nextVersion } from '../../src/release/index.ts';

const change = (what: string, verdict: Change['verdict'] = 'compatible'): Change => ({
  what,
  from: 'a',
  to: 'b',
  verdict,
});

test('the first version of a repository is 0.1.0', () => {
  expect(nextVersion(undefined, [], false)).toMatchObject({ version: '0.1.0', level: 'first' });
});

test('what breaks clients moves the first number, what they may notice the second, weights the third', () => {
  const weights = [change('version'), change('model'), change('model size'), change('metric accuracy')];
  expect(nextVersion('1.2.3', weights, false)).toEqual({
    version: '1.2.4',
    level: 'patch',
    why: ['model', 'model size', 'metric accuracy'],
  });
  expect(nextVersion('1.2.3', [...weights, change('output embedding')], false)).toMatchObject({
    version: '1.3.0',
    level: 'minor',
    why: ['output embedding'],
  });
  const broken = [...weights, change('output embedding'), change('labels', 'breaking')];
  expect(nextVersion('1.2.3', broken, false)).toMatchObject({ version: '2.0.0', level: 'major', why: ['labels'] });
});

test('the same contract keeps its version, and one that differs in what no client sees is a patch', () => {
  expect(nextVersion('0.3.1', [change('version')], true)).toMatchObject({ version: '0.3.1', level: 'same' });
  expect(nextVersion('0.3.1', [change('version')], false)).toMatchObject({ version: '0.3.2', level: 'patch' });
});

test('the highest version is by number, and tags that are none do not count', () => {
  expect(highestVersion(['1.9.0', '1.10.0', '1.2.11', 'latest', 'v3.0.0', '2.0', '4.0.0-rc.1', '01.0.0'])).toBe(
    '1.10.0',
  );
  expect(highestVersion(['latest', 'main-4f2a'])).toBeUndefined();
});
