import { expect, test } from 'bun:test';
import { nameByContent } from '../../src/image/chunk-names.ts';

const files = (a: string, b: string) =>
  Object.entries({
    'main.js': `import{x}from"./main-${a}.js";import("./project-${b}.js");const y="main-12345678.js";`,
    [`main-${a}.js`]: 'export const x=1;',
    [`project-${b}.js`]: `import{x}from"./main-${a}.js";`,
    'style.css': 'a{}',
  }).map(([name, text]) => ({ name, content: new TextEncoder().encode(text) }));
const read = (made: ReturnType<typeof nameByContent>) =>
  made.map(({ name, content }) => [name, new TextDecoder().decode(content)]);

test('chunks are called by what is in them, whatever the bundler called them', () => {
  const one = read(nameByContent(files('aaaaaaaa', 'bbbbbbbb')));
  expect(read(nameByContent(files('zzzzzzzz', '00000000').toReversed()))).toEqual(one);
  const names = one.map(([name]) => name as string);
  const main = one.find(([name]) => name === 'main.js')?.[1] as string;
  for (const [, found] of main.matchAll(/\.\/([^"]+)/g)) expect(names).toContain(found as string);
  // What only looks like a chunk's name stays.
  expect(main).toContain('main-12345678.js');
});
