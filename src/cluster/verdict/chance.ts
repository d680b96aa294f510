import { incompleteBeta } from './special.ts';

/** So many of so many. */
export interface Share {
  readonly k: number;
  readonly n: number;
}

/**
 * How probable it is that a canary whose true share lies just `margin` above stable's shows as many as it did, or more.
 *
 * Stable's true share is not known but from its requests: it is Beta(k + ½, n − k + ½) distributed (Jeffreys' prior), and the
 * binomial tail of the canary's count is averaged over it. So a stable with few requests makes it hard to call a canary
 * worse, and no normal approximation is asked about 3 failures. Without any request of stable its share is taken as 0.
 *
 * @param margin 0 to 1
 * @example chanceOf({k: 1, n: 3}, {k: 0, n: 1000}, 0.01) is 0.03: one failure of three requests is no proof of more than 1 %
 * @example chanceOf({k: 50, n: 5000}, {k: 0, n: 20000}, 0.005) is 0.000008: a canary that fails 1 % is above a limit of 0.5 %
 */
export function chanceOf(canary: Share, stable: Share, margin: number): number {
  const k = Math.floor(canary.k + 1e-9);
  if (k <= 0) return 1;
  if (k > canary.n) return 0;
  const tail = (share: number) => (share >= 1 ? 1 : incompleteBeta(share, k, canary.n - k + 1));
  if (stable.n <= 0) return tail(margin);
  const a = stable.k + 0.5;
  const b = Math.max(0, stable.n - stable.k) + 0.5;
  return meanOverBeta(a, b, (share) => tail(share + margin));
}

/** Nodes of the trapezoid rule, which converges exponentially on a smooth bump. */
const NODES = 160;

/** The mean of f(p) for p ~ Beta(a, b), over the logit of p, where the density is a smooth bump whatever a and b are. */
function meanOverBeta(a: number, b: number, f: (p: number) => number): number {
  const density = (x: number) => -a * Math.log1p(Math.exp(-x)) - b * Math.log1p(Math.exp(x));
  const mode = Math.log(a / b);
  const peak = density(mode);
  const reach = (direction: number) => {
    let step = 1 / Math.sqrt(Math.max(a, b));
    while (peak - density(mode + direction * step) < 36 && step < 700) step *= 1.5;
    return mode + direction * step;
  };
  const from = reach(-1);
  const width = (reach(1) - from) / NODES;
  let weights = 0;
  let mean = 0;
  for (let node = 0; node <= NODES; node++) {
    const x = from + node * width;
    const weight = Math.exp(density(x) - peak);
    weights += weight;
    mean += weight * f(1 / (1 + Math.exp(-x)));
  }
  return Math.min(1, mean / weights);
}
