import { type Contract, isFloat, type Tensor } from '../contract/index.ts';
import type { Engine } from './engine.ts';
import { concatRows, fitTogether, sliceRows } from './rows.ts';
import type { Feeds } from './session.ts';

/**
 * Whether rows may be run together. `exact`: every row is answered as if it were alone; `within`: to 1e-6 of the row's largest value;
 * `off`: they change each other's answers, so requests are never run together; `fixed`: the model takes a fixed number of rows.
 */
export type BatchState = 'exact' | 'within' | 'off' | 'fixed';

export interface BatchProof {
  readonly state: BatchState;
  /** True when rows were seen to change each other's answers. */
  readonly interferes: boolean;
  /** How many different rows were compared, in every size. */
  readonly rows: number;
  /** The largest size that was proven; 1 where rows are not run together. */
  readonly maxRows: number;
}

/** Fewer different rows than these prove nothing. */
const FEWEST_ROWS = 8;
const ROWS = 64;
const SIZES = [2, 3, 4, 8, 16, 32, 64];
/** Above this a run is so long that each size is tried on one group of rows, not on all. */
const LONG_RUN_MS = 1;
const RELATIVE = 1e-6;
/** Above this a run is so long that running rows together gains little, and proving it would hold up the start. */
const HEAVY_RUN_MS = 50;

/**
 * Proves whether rows may be run together, on rows that are all different: known ones first, then variations of them,
 * always the same. Sizes that share a kernel can still differ, so each is tried.
 * @param known rows of the contract's inputs, from golden cases and the sample
 * @param brief tries each size on one group of rows: for a server's start, after `check` has tried all
 */
export async function proveBatch(
  engine: Engine,
  contract: Contract,
  known: readonly Feeds[],
  brief = false,
): Promise<BatchProof> {
  const free = (shape: readonly number[]) => shape[0] === -1;
  // What outputs promise is not asked: LightGBM's converter writes a label of one row, and gives one a row.
  if (!contract.inputs.every((spec) => free(spec.shape))) return proof('fixed');
  const [first] = known;
  if (!first || contract.inputs.length === 0 || engine.runMs > HEAVY_RUN_MS) return proof('off');

  const rows: Feeds[] = [];
  const alone: Readonly<Record<string, Tensor>>[] = [];
  for (const row of candidates(known)) {
    if (rows.length === ROWS) break;
    try {
      alone.push(await engine.run(row));
      rows.push(row);
    } catch {
      // A variation that the model refuses (an index outside of its table) proves nothing.
    }
  }
  // Few words or flags make few rows: these come again then, beside others each time.
  const different = rows.length;
  if (different < FEWEST_ROWS) return proof('off');
  for (let i = 0; rows.length < ROWS; i++) {
    rows.push(rows[i % different] as Feeds);
    alone.push(alone[i % different] as (typeof alone)[number]);
  }

  let state: BatchState = 'exact';
  let next = 0;
  for (const size of SIZES) {
    const groups = brief || engine.runMs > LONG_RUN_MS ? 1 : Math.floor(ROWS / size);
    for (let group = 0; group < groups; group++) {
      // Each size goes on where the one before ended, so that with one group a size every row is in some.
      const from = next + size <= ROWS ? next : 0;
      next = from + size;
      const together = await engine.run(joined(rows.slice(from, from + size)));
      for (const [name, tensor] of Object.entries(together)) {
        const width = tensor.data.length / size;
        if (tensor.shape[0] !== size || alone[from]?.[name]?.data.length !== width) return proof('off', 0, true);
        for (let row = 0; row < size; row++) {
          const found = compare(alone[from + row]?.[name] as Tensor, tensor, row * width);
          if (found === 'off') return proof('off', 0, true);
          if (found === 'within') state = 'within';
        }
      }
    }
  }
  return proof(state, ROWS);
}

/** @param rows compared in every size */
function proof(state: BatchState, rows = 0, interferes = false): BatchProof {
  return { state, interferes, rows, maxRows: Math.max(1, rows) };
}

/**
 * A row that ran alone against the same row of a larger run. Differences count against the largest value of the row:
 * 1 - p is no more exact than p is.
 * @param at where the row starts in `together`
 */
function compare(alone: Tensor, together: Tensor, at: number): BatchState {
  const width = alone.data.length;
  if (together.data.length < at + width || together.shape.length !== alone.shape.length) return 'off';
  const float = isFloat(alone.datatype);
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < width; i++) {
    const a = alone.data[i] as number;
    const b = together.data[at + i] as number;
    if (float) largest = Math.max(largest, Math.abs(a), Math.abs(b));
    if (Object.is(a, b)) continue;
    if (!float) return 'off';
    difference = Math.max(difference, Math.abs(a - b));
  }
  if (difference === 0) return 'exact';
  return difference <= RELATIVE * largest ? 'within' : 'off';
}

function rowOf(feeds: Feeds, row: number): Feeds {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, sliceRows(tensor, row, row + 1)]));
}

function joined(rows: readonly Feeds[]): Feeds {
  return Object.fromEntries(
    Object.keys(rows[0] ?? {}).map((name) => [name, concatRows(rows.map((row) => row[name] as Tensor))]),
  );
}

/** Known rows, then variations of them without an end that comes before ten times the rows needed; no row comes twice. */
function* candidates(known: readonly Feeds[]): Generator<Feeds> {
  const seen = new Set<string>();
  for (const row of variations(known)) {
    const tensors = Object.values(row);
    // Floats are varied so finely that rows do not meet, and images would be long keys.
    const key = tensors.some(({ datatype }) => isFloat(datatype))
      ? undefined
      : tensors.map(({ data }) => data.join('\0')).join('\n');
    if (key !== undefined && seen.has(key)) continue;
    if (key !== undefined) seen.add(key);
    yield row;
  }
}

function* variations(known: readonly Feeds[]): Generator<Feeds> {
  const rows: Feeds[] = [];
  for (const feeds of known) {
    const count = Math.min(...Object.values(feeds).map((tensor) => tensor.shape[0] ?? 1));
    // Only rows of one shape are ever run together: texts or images of other sizes prove nothing about the first one's.
    if (rows[0] && !fitTogether(rows[0], feeds)) continue;
    for (let row = 0; row < count && rows.length < ROWS; row++) rows.push(rowOf(feeds, row));
  }
  yield* rows;
  const random = generator(1);
  for (let i = 0; i < ROWS * 10; i++) {
    const from = rows[i % rows.length] as Feeds;
    const other = rows[Math.floor(random() * rows.length)] as Feeds;
    // A model may know a few words only (categories): every second row is made of words that stand in its column.
    const change = i % 2 === 0 ? (text: string) => text : (text: string) => newWord(text, random);
    yield Object.fromEntries(
      Object.entries(from).map(([name, tensor]) => {
        const { data } = other[name] as Tensor;
        const words = (text: string, at: number) => change(random() < 0.5 ? text : String(data[at] ?? text));
        return [name, varied(tensor, random, words, 1 + Math.floor(i / 16))];
      }),
    );
  }
}

function newWord(text: string, random: () => number): string {
  return `${text} ${Math.floor(random() * 1e6).toString(36)}`;
}

function varied(
  tensor: Tensor,
  random: () => number,
  words: (text: string, at: number) => string,
  step: number,
): Tensor {
  const { data, datatype } = tensor;
  if (Array.isArray(data)) return { ...tensor, data: data.map(words) };
  const copy = data.slice();
  for (let i = 0; i < copy.length; i++) {
    if (copy instanceof BigInt64Array || copy instanceof BigUint64Array) {
      const moved = (copy[i] as bigint) + BigInt(Math.floor(random() * (2 * step + 1)) - step);
      copy[i] = moved < 0n ? 0n : moved;
    } else if (isFloat(datatype)) {
      const value = copy[i] as number;
      copy[i] = value * (0.5 + random()) + (random() - 0.5) * 0.5;
    } else if (datatype === 'BOOL') copy[i] = random() < 0.5 ? 0 : 1;
    else copy[i] = Math.max(0, (copy[i] as number) + Math.floor(random() * (2 * step + 1)) - step);
  }
  return { ...tensor, data: copy };
}

/** The same numbers from 0 to 1 each time (a linear congruential generator, Numerical Recipes' constants). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
