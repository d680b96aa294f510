import { expect, test } from 'bun:test';
import { parseTensor } from '../../src/contract/index.ts';
import { readRows } from '../../src/server/read-rows.ts';

const spec = (width: number) => ({ name: 'x', datatype: 'FP32', shape: [-1, width] }) as const;

/** What the general reader makes of a body, or undefined where it refuses it. */
function general(text: string, width: number): ArrayLike<number> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (body === null || typeof body !== 'object' || !('data' in body)) return undefined;
    return parseTensor(spec(width), body.data).data as Float32Array;
  } catch {
    return undefined;
  }
}

/** Holds the quick reader to the general one: it may pass, but what it takes is the same to the last bit. */
function agree(text: string, width: number): boolean {
  const stage = new Float32Array((text.length >> 1) + 8).fill(42);
  const rows = readRows(text, width, Number.POSITIVE_INFINITY, stage, 3);
  if (rows === 0) return false;
  const wanted = general(text, width);
  if (!wanted || wanted.length !== rows * width) throw new Error(`taken, but not by the general reader: ${text}`);
  for (let i = 0; i < wanted.length; i++)
    if (!Object.is(stage[3 + i], wanted[i])) throw new Error(`${stage[3 + i]} is not ${wanted[i]}: ${text}`);
  if (stage[0] !== 42 || stage[2] !== 42) throw new Error(`written before its place: ${text}`);
  return true;
}

test.each([
  '{"data":[[5.1,3.5,1.4,0.2]]}',
  '{"data": [[5.1, 3.5, 1.4, 0.2]]}',
  '{"data":\n  [\n [5.1, 3.5 ,1.4,0.2] ,[1,2,3,4]\t]\r\n}\n',
  '{"data":[[-0,0,-0.0,0.1]]}',
  '{"data":[[123456789012345,0.00000000000001,99999999999999.9,1]]}',
])('%j is read at once', (text) => {
  expect(agree(text, 4)).toBe(true);
});

test.each([
  '{"data":[[1e2,3,4,5]]}',
  '{"data":[[1234567890123456,3,4,5]]}',
  '{"data":[[01,3,4,5]]}',
  '{"data":[[1.,3,4,5]]}',
  '{"data":[[.5,3,4,5]]}',
  '{"data":[[-,3,4,5]]}',
  '{"data":[[+1,3,4,5]]}',
  '{"data":[[1,3,4]]}',
  '{"data":[[1,3,4,5,6]]}',
  '{"data":[[1,3,4,5],[1,2]]}',
  '{"data":[[1,3,4,5],]}',
  '{"data":[]}',
  '{"data":[[null,1,2,3]]}',
  '{"data":[["1",1,2,3]]}',
  '{"data":[[1,2,3,4]],"x":1}',
  '{"data":[[1,2,3,4]]}}',
  '{"data":[[1,2,3,4]]',
  '{"data" :[[1,2,3,4]]}',
  '{"inputs":[[1,2,3,4]]}',
  '',
])('%j is left to the general reader', (text) => {
  expect(agree(text, 4)).toBe(false);
});

/** The same numbers each time (xorshift). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const BLANKS = ['', '', '', '', ' ', '\n', '\t ', '\r\n'];
const ODD = ['1e5', 'null', '-', '1.', '00', '"a"', 'true', '[1]', '{}', '1234567890123456789', '-0', '0.1e1', '', '٣'];

/** Bodies as clients send them, and bodies that are nearly so. */
function body(random: (below: number) => number, width: number): string {
  const blank = () => BLANKS[random(BLANKS.length)] as string;
  const number = (): string => {
    if (random(60) === 0) return ODD[random(ODD.length)] as string;
    const sign = random(4) === 0 ? '-' : '';
    const whole = random(10 ** (1 + random(9)));
    return random(3) === 0
      ? `${sign}${whole}`
      : `${sign}${whole}.${String(random(10 ** (1 + random(9)))).padStart(1 + random(6), '0')}`;
  };
  const rows = 1 + random(3);
  const cells = () =>
    Array.from({ length: random(80) === 0 ? random(width + 3) : width }, () => blank() + number() + blank());
  const list = Array.from({ length: rows }, () => `${blank()}[${cells().join(',')}]${blank()}`).join(',');
  const text = `{"data":${blank()}[${list}]${blank()}}${blank()}`;
  if (random(4) > 0) return text;
  const at = random(text.length);
  const piece = String.fromCharCode(random(128));
  return random(2) === 0 ? text.slice(0, at) + piece + text.slice(at + 1) : text.slice(0, at) + text.slice(at + 1);
}

/** INLAY_FUZZ_CASES=10000000 makes the long run. */
const CASES = Number(process.env.INLAY_FUZZ_CASES ?? 100_000);

test(`${CASES} generated bodies: no crash, no disagreement`, () => {
  const random = generator(20240607);
  let taken = 0;
  for (let i = 0; i < CASES; i++) if (agree(body(random, 1 + (i % 5)), 1 + (i % 5))) taken++;
  // Most are plain, so most must be taken: a reader that leaves everything to the other one proves nothing.
  expect(taken).toBeGreaterThan(CASES * 0.5);
  expect(taken).toBeLessThan(CASES);
}, 3_600_000);
