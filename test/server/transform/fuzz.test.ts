import { expect, test } from 'bun:test';
import { isInlayError } from '../../../src/error/index.ts';
import { HttpError } from '../../../src/server/answer.ts';
import { acceptedType } from '../../../src/server/transform/media-type.ts';
import { rawRequestOf } from '../../../src/server/transform/raw-request.ts';

/** Numbers that are the same each time (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const FORM = Buffer.from(
  '--b\r\nContent-Disposition: form-data; name="note"\r\n\r\ntext\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--\r\n--b--\r\n',
  'latin1',
);

test('a form gives its file, byte for byte, with the type that it says', async () => {
  const request = await rawRequestOf(['image/png'], 'multipart/form-data; boundary="b"', FORM);
  expect([request.contentType, Buffer.from(request.bytes).toString('latin1')]).toEqual(['image/png', '\x89PNG\r\n--']);
});

test('whatever comes as a form is read or refused', async () => {
  const random = numbers(7);
  let read = 0;
  for (let i = 0; i < 1500; i++) {
    const bytes = Buffer.from(FORM);
    for (let change = random(4); change >= 0; change--) bytes[random(bytes.length)] = random(256);
    const cut = bytes.subarray(0, random(3) === 0 ? random(bytes.length) + 1 : bytes.length);
    try {
      await rawRequestOf(['image/png'], 'multipart/form-data; boundary=b', cut);
      read++;
    } catch (error) {
      if (!(error instanceof HttpError) && !isInlayError(error)) throw error;
      expect([400, 415]).toContain((error as HttpError).status);
    }
  }
  expect(read).toBeGreaterThan(100);
});

test.each<[string | null, readonly string[], string | undefined]>([
  ['image/png', ['image/png'], 'image/png'],
  ['IMAGE/PNG ; a=b', ['image/png'], 'image/png'],
  ['image/webp', ['image/*'], 'image/webp'],
  ['image/png', ['image/jpeg'], undefined],
  [null, ['image/png'], 'image/png'],
  ['', ['image/png'], 'image/png'],
  ['application/x-www-form-urlencoded', ['application/json'], 'application/json'],
  ['application/octet-stream', ['image/png', 'application/octet-stream'], 'application/octet-stream'],
  [null, ['image/png', 'image/jpeg'], undefined],
  [null, ['image/*'], undefined],
  ['text/html', ['application/json'], undefined],
  [';;;', ['image/png'], 'image/png'],
])('content type %p where %p is accepted: %p', (header, accepts, type) => {
  expect(acceptedType(accepts, header)).toBe(type);
});
