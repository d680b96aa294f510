/** A share for people: `0 %`, `0.12 %`, `12 %`. */
export function percent(share: number): string {
  return `${short(share * 100)} %`;
}

/** Milliseconds without their unit: `2.0`, `0.25`, `340`. */
export function milliseconds(seconds: number): string {
  return seconds < 0.01 ? (seconds * 1000).toPrecision(2) : short(seconds * 1000);
}

/** Two digits that matter, no zeros at the end. */
export function short(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** `12 480`. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}
