import { expect, test } from 'bun:test';
import { githubAnnotation, parseRequirements, parseUvLock } from '../../src/check/index.ts';

test('names, versions, lines; options, comments, paths and addresses are passed over', () => {
  const { requirements, problems } = parseRequirements(
    [
      '# comment',
      '-r other.txt',
      '--index-url x',
      'Scikit_Learn==1.7.2  # pinned',
      'numpy>=2,<3',
      'onnx[reference] == 1.2.3 ; python_version > "3.8"',
      './local',
      '../up',
      'git+ssh://host/repo',
      'a.b',
      'torch \\',
      '  ==2.0',
      'hashed==1 --hash=sha256:abc',
      'direct @ file:///x.whl',
      'wild==1.*',
    ].join('\n'),
  );
  expect(problems).toEqual([]);
  expect(requirements.map(({ line, name, version }) => [line, name, version])).toEqual([
    [4, 'scikit-learn', '1.7.2'],
    [5, 'numpy', undefined],
    [6, 'onnx', '1.2.3'],
    [10, 'a-b', undefined],
    [11, 'torch', '2.0'],
    [13, 'hashed', '1'],
    [15, 'wild', undefined],
  ]);
});

test('a uv.lock pins everything', () => {
  expect(parseUvLock('version = 1\n[[package]]\nname = "Scikit-Learn"\nversion = "1.7.2"\n')).toEqual([
    { line: 1, name: 'scikit-learn', version: '1.7.2' },
  ]);
});

test('annotations escape what GitHub would read', () => {
  expect(
    githubAnnotation({ code: 'TRAIN_UNPINNED', severity: 'warning', path: 'a,b.txt', message: '50% of\nlines' }),
  ).toBe('::warning file=a%2Cb.txt,title=TRAIN_UNPINNED::50%25 of%0Alines');
});
