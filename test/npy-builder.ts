// .npy arrays by hand, as numpy.lib.format writes them.

/** @param descr numpy's dtype, or the fields of a table @param data little-endian */
export function npy(
  descr: string | string[][],
  shape: readonly number[],
  data: Uint8Array,
  options: { version?: number; fortran?: boolean } = {},
): Uint8Array {
  const { version = 1, fortran = false } = options;
  const dtype = typeof descr === 'string' ? `'${descr}'` : `[${descr.map(([n, t]) => `('${n}', '${t}')`).join(', ')}]`;
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': ${dtype}, 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${dimensions}), }`;
  const prefix = version === 1 ? 10 : 12;
  const length = Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix;
  const header = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  const size = version === 1 ? [length & 255, length >> 8] : [length & 255, length >> 8, 0, 0];
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...size, ...header, ...data]);
}
