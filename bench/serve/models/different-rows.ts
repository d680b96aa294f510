/**
 * Rows around a sample, all different, one decimal each as in the data set; the first is the sample, whose answer is known.
 * They are what a server and the bare run it is compared with both work on: the same row again and again is a fifth cheaper to the CPU.
 */
export function differentRows([sample = []]: readonly (readonly number[])[], count: number): number[][] {
  return Array.from({ length: count }, (_, row) =>
    sample.map((value, column) => Number((value + ((row * (column + 3)) % 30) / 10).toFixed(1))),
  );
}
