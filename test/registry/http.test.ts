import { expect, test } from 'bun:test';
import { parseChallenges } from '../../src/registry/auth/challenge.ts';
import { isTransient, nextDelay, parseRetryAfter } from '../../src/registry/http/backoff.ts';
import { proxyFor } from '../../src/registry/http/proxy.ts';
import { lastVersion } from '../../src/registry/neighbour.ts';
import { Secrets } from '../../src/registry/secrets.ts';

const policy = { tries: 6, baseMs: 300, maxDelayMs: 2000, maxTotalMs: 60_000 };

test.each([
  ['Basic realm="x"', [{ scheme: 'basic', params: { realm: 'x' } }]],
  [
    'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push repository:c:pull"',
    [
      {
        scheme: 'bearer',
        params: {
          realm: 'https://auth.example/token',
          service: 'reg',
          scope: 'repository:a/b:pull,push repository:c:pull',
        },
      },
    ],
  ],
  [
    'Negotiate, Basic realm="a, b", BEARER Realm=https://x/t , error = "insufficient_scope"',
    [
      { scheme: 'negotiate', params: {} },
      { scheme: 'basic', params: { realm: 'a, b' } },
      { scheme: 'bearer', params: { realm: 'https://x/t', error: 'insufficient_scope' } },
    ],
  ],
  [
    'NTLM TlRMTVNTUAAB==, Basic realm="q\\"x"',
    [
      { scheme: 'ntlm', params: {} },
      { scheme: 'basic', params: { realm: 'q"x' } },
    ],
  ],
  ['', []],
  ['"', []],
] as const)('the challenge %s is read', (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected as never);
});

test('waits grow, have a jitter of a half, and end', () => {
  const delay = (tries: number, more = {}, random = 0) => nextDelay({ tries, elapsedMs: 0, ...more }, policy, random);
  expect([1, 2, 3, 4, 5, 6].map((n) => delay(n))).toEqual([150, 300, 600, 1000, 1000, undefined]);
  expect(delay(1, {}, 0.999)).toBeCloseTo(300, 0);
  expect(delay(1, { retryAfterMs: 5000 })).toBe(5000);
  expect(delay(1, { retryAfterMs: 61_000 })).toBeUndefined();
  expect(delay(2, { elapsedMs: 59_900 })).toBeUndefined();
  expect(delay(3, { stubborn: true })).toBeUndefined();
});

test('Retry-After is seconds or a date', () => {
  expect(parseRetryAfter('3', 0)).toBe(3000);
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4000)).toBe(6000);
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 40_000)).toBe(0);
  expect(parseRetryAfter('soon', 0)).toBeUndefined();
  expect(parseRetryAfter(null, 0)).toBeUndefined();
  expect([408, 429, 500, 503, 501, 404].map(isTransient)).toEqual([true, true, true, true, false, false]);
});

test.each([
  ['https://r.example.com/', {}, undefined],
  ['https://r.example.com/', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
  ['https://r.example.com/', { https_proxy: 'p:1' }, 'http://p:1'],
  ['https://r.example.com/', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['http://r.example.com/', { HTTP_PROXY: 'http://p:1' }, 'http://p:1'],
  ['http://localhost:5000/', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['http://127.9.9.9:5000/', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['http://[::1]:5000/', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['https://r.example.com/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.com' }, undefined],
  ['https://example.com/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '.example.com' }, 'http://p:1'],
  ['https://r.example.com/', { HTTPS_PROXY: 'http://p:1', no_proxy: 'a, *.example.com' }, undefined],
  ['https://r.example.com/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.com:444' }, 'http://p:1'],
  ['https://r.example.com:444/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.com:444' }, undefined],
  ['https://r.example.com/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }, undefined],
  ['https://10.1.2.3/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/8' }, undefined],
  ['https://11.1.2.3/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/8' }, 'http://p:1'],
])('the proxy for %s with %o is %s', (url, env, proxy) => {
  expect(proxyFor(new URL(url), env)).toBe(proxy as never);
});

test('secrets leave texts in every form in which they travel', () => {
  const secrets = new Secrets();
  secrets.add('p@ss/word');
  secrets.add('abc');
  expect(secrets.scrub('p@ss/word p%40ss%2Fword abc http://u:pw@proxy:1 https://s3/x?sig=1&t=2 end')).toBe(
    '*** *** abc http://***@proxy:1 https://s3/x?*** end',
  );
});

test('the newest version is found among the tags', () => {
  expect(lastVersion(['0.9.0', '0.10.0', '0.2.0', `sha256-${'f'.repeat(64)}`, `sha256-${'f'.repeat(64)}.sig`])).toBe(
    '0.10.0',
  );
  expect(lastVersion([])).toBeUndefined();
});
