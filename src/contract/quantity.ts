const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** A Kubernetes memory quantity in bytes. */
export function quantityBytes(quantity: string): number {
  const [, number = '0', unit = ''] = /^(\d+)(.*)$/.exec(quantity) ?? [];
  return Number(number) * (UNITS[unit] ?? 1);
}
