/** A probability for people: `97.08 %`; what would round to nothing or to all is told apart from them. */
export function percent(probability: number): string {
  if (probability > 0 && probability < 0.00005) return '< 0.01 %';
  if (probability < 1 && probability >= 0.99995) return '> 99.99 %';
  return probability === 0 || probability === 1 ? `${probability * 100} %` : `${(probability * 100).toFixed(2)} %`;
}

/** A number for people, with six significant digits. */
export function short(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : String(Number(value.toPrecision(6)));
}

/** Milliseconds for people. */
export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
