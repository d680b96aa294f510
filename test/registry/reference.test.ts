import { expect, test } from 'bun:test';
import { formatReference, identifierOf, parseReference } from '../../src/registry/index.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  ['debian', 'docker.io/library/debian', false],
  ['debian:12', 'docker.io/library/debian:12', false],
  ['team/iris', 'docker.io/team/iris', false],
  ['docker.io/debian', 'docker.io/library/debian', true],
  ['index.docker.io/team/iris:1', 'docker.io/team/iris:1', true],
  ['registry-1.docker.io/library/debian', 'docker.io/library/debian', true],
  ['localhost/iris', 'localhost/iris', true],
  ['localhost:5000/iris:0.0.1', 'localhost:5000/iris:0.0.1', true],
  ['127.0.0.1:5000/ml/iris', '127.0.0.1:5000/ml/iris', true],
  ['[::1]:5000/ml/iris:1', '[::1]:5000/ml/iris:1', true],
  ['registry.example.com/ml/iris', 'registry.example.com/ml/iris', true],
  ['Registry/iris', 'Registry/iris', true],
  ['host:5000/a/b/c/d__e.f--g:T_1.2-x', 'host:5000/a/b/c/d__e.f--g:T_1.2-x', true],
  [`r.io/iris:1@${DIGEST}`, `r.io/iris:1@${DIGEST}`, true],
  [`r.io/iris@${DIGEST}`, `r.io/iris@${DIGEST}`, true],
])('%s is %s', (text, whole, named) => {
  const parsed = parseReference(text);
  expect(formatReference(parsed)).toBe(whole);
  expect(parsed.registryNamed).toBe(named);
});

test.each([
  '',
  ':1',
  'Iris',
  'r.io/Iris',
  'r.io/',
  'r.io//iris',
  'r.io/iris:',
  'r.io/iris:-1',
  `r.io/iris:${'x'.repeat(129)}`,
  'r.io/iris@sha256:12',
  `r.io/iris@${DIGEST}@${DIGEST}`,
  `r.io/iris@md5:${'a'.repeat(32)}`,
  'https://r.io/iris',
  '-r.io/iris',
  'r.io/a..b',
  'r.io/iris 1',
  'r.io/../../etc/passwd',
  `r.io/${'a'.repeat(255)}`,
])('"%s" is refused', (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
});

test('the digest counts before the tag, and latest is the tag of none', () => {
  expect(identifierOf(parseReference(`r.io/iris:1@${DIGEST}`))).toBe(DIGEST);
  expect(identifierOf(parseReference('r.io/iris:1'))).toBe('1');
  expect(identifierOf(parseReference('r.io/iris'))).toBe('latest');
});
