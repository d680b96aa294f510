import { expect, test } from 'bun:test';
import { chanceOf } from '../../../src/cluster/verdict/chance.ts';
import { incompleteBeta, lnGamma } from '../../../src/cluster/verdict/special.ts';

/** P(X = k) for X ~ Bin(n, p), from whole numbers. */
function binomialAt(n: number, k: number, p: number): number {
  let ways = 1;
  for (let at = 0; at < k; at++) ways = (ways * (n - at)) / (at + 1);
  return ways * p ** k * (1 - p) ** (n - k);
}

test('ln Γ is that of factorials and of ½', () => {
  let factorial = 1;
  for (let n = 1; n <= 170; n++) {
    factorial *= n;
    expect(Math.abs(lnGamma(n + 1) / Math.log(factorial) - 1) < 1e-13 || factorial === 1).toBe(true);
  }
  expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 14);
  // Stirling's series, whose error at 10^6 is far below a double's.
  const x = 1e6;
  expect(lnGamma(x)).toBeCloseTo((x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + 1 / (12 * x), 6);
});

test('the incomplete beta function is the binomial tail', () => {
  for (const n of [1, 2, 7, 30, 50]) {
    for (const p of [1e-4, 0.01, 0.3, 0.5, 0.99]) {
      for (let k = 1; k <= n; k++) {
        let tail = 0;
        for (let at = k; at <= n; at++) tail += binomialAt(n, at, p);
        expect(Math.abs(incompleteBeta(p, k, n - k + 1) / tail - 1)).toBeLessThan(1e-9);
      }
    }
  }
});

test('it holds for counts of millions', () => {
  // Symmetric: I_½(a, a) = ½; and I_x(a, b) + I_1-x(b, a) = 1 on either side of the mean.
  for (const a of [10, 1e3, 1e6, 1e8]) expect(incompleteBeta(0.5, a, a)).toBeCloseTo(0.5, 6);
  expect(incompleteBeta(0.0101, 1e5, 9.9e6) + incompleteBeta(0.9899, 9.9e6, 1e5)).toBeCloseTo(1, 9);
  // The normal approximation at a million: P(X ≥ 10 200 | 0.01) is 2.2 % at z = 2.005 with continuity.
  expect(incompleteBeta(0.01, 10_200, 1e6 - 10_200 + 1)).toBeCloseTo(0.0226, 3);
});

test('without requests of stable the chance is the binomial tail at the margin', () => {
  expect(chanceOf({ k: 1, n: 3 }, { k: 0, n: 0 }, 0.01)).toBeCloseTo(1 - 0.99 ** 3, 12);
});

test('with a margin of 0 it is the beta-binomial tail, summed in closed form', () => {
  const [canary, stable] = [
    { k: 3, n: 20 },
    { k: 2, n: 100 },
  ];
  const [a, b] = [stable.k + 0.5, stable.n - stable.k + 0.5];
  const lnBeta = (one: number, other: number) => lnGamma(one) + lnGamma(other) - lnGamma(one + other);
  const lnWays = (k: number) => lnGamma(canary.n + 1) - lnGamma(k + 1) - lnGamma(canary.n - k + 1);
  let tail = 0;
  for (let k = canary.k; k <= canary.n; k++)
    tail += Math.exp(lnWays(k) + lnBeta(k + a, canary.n - k + b) - lnBeta(a, b));
  expect(chanceOf(canary, stable, 0)).toBeCloseTo(tail, 9);
});

test('more failures are less chance, more of stable’s are more, and so is a wider margin', () => {
  const chances = (of: (at: number) => number) => Array.from({ length: 30 }, (_, at) => of(at));
  const falls = chances((k) => chanceOf({ k, n: 100 }, { k: 2, n: 400 }, 0.01));
  const rises = chances((k) => chanceOf({ k: 6, n: 100 }, { k, n: 400 }, 0.01));
  const wider = chances((at) => chanceOf({ k: 6, n: 100 }, { k: 2, n: 400 }, at / 100));
  expect(falls).toEqual(falls.toSorted((one, other) => other - one));
  expect(rises).toEqual(rises.toSorted((one, other) => one - other));
  expect(wider).toEqual(wider.toSorted((one, other) => one - other));
  expect(falls[0]).toBe(1);
});

test('it is what the comments of chanceOf say', () => {
  expect(chanceOf({ k: 1, n: 3 }, { k: 0, n: 1000 }, 0.01)).toBeCloseTo(0.031, 3);
  expect(chanceOf({ k: 50, n: 5000 }, { k: 0, n: 20_000 }, 0.005)).toBeCloseTo(0.0000076, 7);
});

/** How often a canary that lies at the limit exactly is called above: summed over all that stable and it can show, no simulation. */
function sizeOf(canary: number, stable: number, p: number, margin: number, alpha: number): number {
  const lnWays = (n: number, k: number) => lnGamma(n + 1) - lnGamma(k + 1) - lnGamma(n - k + 1);
  let size = 0;
  let critical = 1;
  for (let failed = 0; failed <= stable; failed++) {
    const weight =
      p === 0
        ? Number(failed === 0)
        : Math.exp(lnWays(stable, failed) + failed * Math.log(p) + (stable - failed) * Math.log1p(-p));
    if (weight < 1e-10) continue;
    while (critical <= canary && chanceOf({ k: critical, n: canary }, { k: failed, n: stable }, margin) >= alpha)
      critical++;
    if (critical > canary) break;
    size += weight * incompleteBeta(p + margin, critical, canary - critical + 1);
  }
  return size;
}

test('a canary at its limit is called above about as seldom as promised, at any traffic', () => {
  const worst = { 0.01: 0, 0.0001: 0 };
  for (const [canary, stable] of [
    [50, 200],
    [300, 300],
    [300, 1200],
    [1000, 200],
  ] as const) {
    for (const p of [0, 0.001, 0.01, 0.05]) {
      for (const margin of [0, 0.01, 0.05]) {
        for (const alpha of [0.01, 0.0001] as const)
          worst[alpha] = Math.max(worst[alpha], sizeOf(canary, stable, p, margin, alpha) / alpha);
      }
    }
  }
  console.info(
    `false alarms at the limit itself, of those allowed: ${worst[0.01].toFixed(2)} (1 %), ${worst[0.0001].toFixed(2)} (0.01 %)`,
  );
  expect(worst[0.01]).toBeLessThan(1.25);
  expect(worst[0.0001]).toBeLessThan(1.25);
});
