import { expect, test } from 'bun:test';
import { acceptedOf, typeOfFile } from '../../src/web/playground/model/accepted.ts';

test.each([
  [['image/png', 'image/jpeg'], { files: 'image/png,image/jpeg', typed: undefined, images: true }],
  [['application/json'], { files: undefined, typed: 'application/json', images: false }],
  [
    ['text/plain', 'application/pdf', 'image/*'],
    { files: 'application/pdf,image/*', typed: 'text/plain', images: false },
  ],
])('%p is given so', (types, accepted) => {
  expect(acceptedOf(types)).toEqual(accepted);
});

test('a file goes as what the browser knows it to be, or as the first kind of file', () => {
  const types = ['application/json', 'image/*', 'audio/wav'];
  expect(typeOfFile(types, 'image/webp')).toBe('image/webp');
  // The server says what it takes instead.
  expect(typeOfFile(types, 'video/mp4')).toBe('video/mp4');
  expect(typeOfFile(types, '')).toBe('audio/wav');
  expect(typeOfFile(['image/*'], '')).toBe('application/octet-stream');
});
