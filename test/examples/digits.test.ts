// The transform of examples/digits, by the bundle that an image has, on images that nobody should send.
import { beforeAll, expect, test } from 'bun:test';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { encode as encodeJpeg } from '../../examples/digits/node_modules/jpeg-js/index.js';
import { prepareTransform, type TransformModel, type TransformRequest } from '../../src/transform/index.ts';

const DIGITS = realpathSync(join(import.meta.dir, '../../examples/digits'));
const SEVEN = new Uint8Array(readFileSync(join(DIGITS, 'samples/7.png')));
const THREE = new Uint8Array(readFileSync(join(DIGITS, 'samples/3.jpg')));

class Refused extends Error {}
const model = { labels: [], badRequest: (message: string) => new Refused(message) } as unknown as TransformModel;
let cellsOf: (contentType: string, bytes: Uint8Array) => Promise<Float32Array>;
beforeAll(async () => {
  const { loaded } = await prepareTransform(DIGITS, join(DIGITS, 'transform.ts'));
  cellsOf = async (contentType, bytes) => {
    const { cells } = await loaded.preprocess({ contentType, bytes } as TransformRequest, model);
    return cells?.data as Float32Array;
  };
});

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
function png(
  header: { width: number; height: number; depth?: number; colour?: number; interlace?: number },
  pixels: Uint8Array,
  more: Buffer[] = [],
) {
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(header.width);
  ihdr.writeUInt32BE(header.height, 4);
  ihdr.set([header.depth ?? 8, header.colour ?? 0, 0, 0, header.interlace ?? 0], 8);
  return Buffer.concat([
    Buffer.from(SIGNATURE),
    chunk('IHDR', ihdr),
    ...more,
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
const sizes = (cells: Float32Array) => [cells.length, cells.every((value) => value >= 0 && value <= 16.001)];

test('what is clearly a digit has ink in its cells', async () => {
  for (const [type, bytes] of [
    ['image/png', SEVEN],
    ['image/jpeg', THREE],
  ] as const) {
    const cells = await cellsOf(type, bytes);
    expect(sizes(cells)).toEqual([64, true]);
    expect(Math.max(...cells)).toBeGreaterThan(8);
  }
});

test('a stroke of one pixel, and one image in every depth, is read', async () => {
  // A filter byte a row; black on white: the second of four pixels of two rows.
  const rows = (bytes: number[][]) => Uint8Array.from(bytes.flatMap((row) => [0, ...row]));
  const wanted = [
    ...(await cellsOf(
      'image/png',
      png(
        { width: 4, height: 2 },
        rows([
          [255, 0, 255, 255],
          [255, 0, 255, 255],
        ]),
      ),
    )),
  ];
  const palette = [chunk('PLTE', Buffer.from([255, 255, 255, 0, 0, 0]))];
  for (const file of [
    png({ width: 4, height: 2, depth: 1 }, rows([[0b10110000], [0b10110000]])),
    png({ width: 4, height: 2, depth: 2 }, rows([[0b11001111], [0b11001111]])),
    png(
      { width: 4, height: 2, depth: 4 },
      rows([
        [0xf0, 0xff],
        [0xf0, 0xff],
      ]),
    ),
    png(
      { width: 4, height: 2, depth: 16 },
      rows([
        [255, 255, 0, 0, 255, 255, 255, 255],
        [255, 255, 0, 0, 255, 255, 255, 255],
      ]),
    ),
    png({ width: 4, height: 2, depth: 1, colour: 3 }, rows([[0b01000000], [0b01000000]]), palette),
    png(
      { width: 4, height: 2 },
      rows([
        [0, 9, 0, 0],
        [0, 9, 0, 0],
      ]),
      [chunk('tRNS', Buffer.from([0, 0]))],
    ),
  ])
    expect([...(await cellsOf('image/png', file))]).toEqual(wanted);
});

const noise = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i * 2654435761) >>> 24);
test.each<[string, string, () => Uint8Array]>([
  ['nothing that is an image', 'image/png', () => noise(5000)],
  ['a JPEG called a PNG', 'image/png', () => THREE],
  ['a PNG called a JPEG', 'image/jpeg', () => SEVEN],
  ['a signature alone', 'image/png', () => Uint8Array.from(SIGNATURE)],
  ['an image that is cut off', 'image/png', () => SEVEN.subarray(0, SEVEN.length >> 1)],
  ['a JPEG that is cut off', 'image/jpeg', () => THREE.subarray(0, 300)],
  ['blank paper', 'image/png', () => png({ width: 3, height: 1 }, Uint8Array.of(0, 255, 255, 255))],
  ['no pixels', 'image/png', () => png({ width: 0, height: 1 }, Uint8Array.of(0))],
  ['more pixels than are allowed', 'image/png', () => png({ width: 65535, height: 65535 }, noise(10))],
  [
    'a JPEG of more pixels than are allowed',
    'image/jpeg',
    () => {
      const { data } = encodeJpeg({ width: 8, height: 8, data: noise(256) });
      const frame = data.indexOf(Buffer.from([0xff, 0xc0]));
      data.writeUInt16BE(60000, frame + 5);
      data.writeUInt16BE(60000, frame + 7);
      return data;
    },
  ],
  ['fewer pixels than its header says', 'image/png', () => png({ width: 50, height: 50 }, noise(100))],
  ['a bomb of pixels', 'image/png', () => png({ width: 9, height: 9 }, new Uint8Array(64e6))],
  ['an unknown colour type', 'image/png', () => png({ width: 2, height: 2, colour: 7 }, noise(100))],
  ['a palette that is not there', 'image/png', () => png({ width: 2, height: 2, colour: 3 }, noise(6))],
])('%s is refused as the sender’s mistake', async (_, type, bytes) => {
  await expect(cellsOf(type, bytes())).rejects.toBeInstanceOf(Refused);
});

test('a bomb in a colour profile is not unpacked', async () => {
  const profile = Buffer.concat([Buffer.from('bomb\0\0', 'latin1'), deflateSync(new Uint8Array(256e6))]);
  const file = png({ width: 3, height: 1 }, Uint8Array.of(0, 255, 0, 255), [chunk('iCCP', profile)]);
  const before = process.memoryUsage().rss;
  expect(sizes(await cellsOf('image/png', file))).toEqual([64, true]);
  expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
});

test('whatever is done to the bytes, it is read or refused', async () => {
  let state = 11;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  let read = 0;
  for (const [type, original] of [
    ['image/png', SEVEN],
    ['image/jpeg', THREE],
  ] as const) {
    for (let i = 0; i < 250; i++) {
      const bytes = original.slice(0, random(4) === 0 ? random(original.length) + 1 : original.length);
      for (let change = random(5); change >= 0; change--) bytes[random(bytes.length)] = random(256);
      try {
        expect(sizes(await cellsOf(type, bytes))).toEqual([64, true]);
        read++;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
    }
  }
  expect(read).toBeGreaterThan(20);
}, 60_000);
