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

test('chunks of the same content are one file', () => {
  const made = nameByContent(
    ['main-aaaaaaaa.js', 'main-bbbbbbbb.js', 'main-cccccccc.js'].map((name, i) => ({
      name,
      content: new TextEncoder().encode(
        i === 2 ? 'import"./main-aaaaaaaa.js";import"./main-bbbbbbbb.js";' : '// @bun\n',
      ),
    })),
  );
  expect(made.length).toBe(2);
  const [, , one, other] =
    /(.*)\.\/(.*?)".*\.\/(.*?)"/.exec(
      read(made)
        .map(([, text]) => text)
        .join(''),
    ) ?? [];
  expect(one).toBe(other as string);
  expect(made.map(({ name }) => name)).toContain(one as string);
});

test('chunks that differ only in which others they name are told apart', () => {
  const texts = {
    'main-aaaaaaaa.js': 'export const x=1;',
    'main-bbbbbbbb.js': 'export const x=2;',
    'a-cccccccc.js': 'export*from"./main-aaaaaaaa.js";',
    'a-dddddddd.js': 'export*from"./main-bbbbbbbb.js";',
    'b-eeeeeeee.js': 'export*from"./a-cccccccc.js";',
    'b-ffffffff.js': 'export*from"./a-dddddddd.js";',
  };
  const content = new TextEncoder();
  const made = read(
    nameByContent(Object.entries(texts).map(([name, text]) => ({ name, content: content.encode(text) }))),
  );
  expect(made.length).toBe(6);
  const byName = new Map(made.map(([name, text]) => [name as string, text as string]));
  const end = (text: string): string => {
    const [, next] = /"\.\/(.*)"/.exec(text) ?? [];
    return next === undefined ? text : end(byName.get(next) ?? '');
  };
  const starts = made.filter(([name]) => name?.startsWith('b-')).map(([, text]) => end(text as string));
  expect(starts.toSorted()).toEqual(['export const x=1;', 'export const x=2;']);
});
