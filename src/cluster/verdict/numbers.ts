/** A share for people: `0 %`, `0.12 %`, `12 %`. */
export function percent(share: number): string {
  return `${short(share * 100)} %`;
}

/** Milliseconds without their unit: `2.1`, `0.25`, `340`. */
export function milliseconds(seconds: number): string {
  return short(seconds * 1000);
}

/** Two digits that matter, no exponent, no zeros at the end. */
export function short(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** `12 480`. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}
