/** An image's luminances, row by row, from 0 (black) to 255. */
export interface Gray {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const SIZE = 8;

/**
 * How much ink is in each cell of an 8 × 8 grid around the digit, 0 to 16; undefined for an image without any.
 * ink_features of features.py, step by step.
 */
export function cellsOf(gray: Gray): Float32Array | undefined {
  const ink = inkOf(gray);
  const most = ink.reduce((a, b) => Math.max(a, b), 0);
  const box = boxOf(gray, (at) => (ink[at] as number) * 4 > most);
  if (!box) return undefined;
  const side = Math.max(box.width, box.height);
  const left = box.left - Math.floor((side - box.width) / 2);
  const top = box.top - Math.floor((side - box.height) / 2);
  // The darkest stroke counts as black: a pencil's grey is as good as ink.
  const scale = 16 / most;
  const cells = new Float64Array(SIZE * SIZE);
  const shares = sharesOf(side);
  for (let y = box.top; y < box.top + box.height; y++) {
    for (let x = box.left; x < box.left + box.width; x++) {
      const value = ink[y * gray.width + x] as number;
      if (value === 0) continue;
      for (const [row, high] of shares[y - top] ?? [])
        for (const [column, wide] of shares[x - left] ?? []) {
          const cell = row * SIZE + column;
          cells[cell] = (cells[cell] as number) + value * high * wide;
        }
    }
  }
  return Float32Array.from(cells, (value) => value * scale);
}

/** Dark on light, or light on dark: the border tells which is the paper. */
function inkOf({ width, height, data }: Gray): Uint8Array {
  let sum = 0;
  let count = 0;
  for (let y = 0; y < height; y++) {
    const step = y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1);
    for (let x = 0; x < width; x += step) {
      sum += data[y * width + x] as number;
      count++;
    }
  }
  return sum * 2 > 255 * count ? data.map((value) => 255 - value) : data;
}

/** The smallest box around all marked pixels. */
function boxOf({ width, height }: Gray, marked: (at: number) => boolean) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!marked(y * width + x)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** By pixel, the cells that it lies in, each with the pixel's share of it: a cell is the mean of what it covers. */
function sharesOf(side: number): [cell: number, share: number][][] {
  const edge = (cell: number) => (cell * side) / SIZE;
  return Array.from({ length: side }, (_, pixel) => {
    const shares: [number, number][] = [];
    for (let cell = 0; cell < SIZE; cell++) {
      const covered = Math.min(edge(cell + 1), pixel + 1) - Math.max(edge(cell), pixel);
      if (covered > 0) shares.push([cell, (covered * SIZE) / side]);
    }
    return shares;
  });
}
