import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dir, '..');
const read = (path: string) => Bun.file(join(ROOT, path)).text();

test('docs/errors.md has every error code and no other', async () => {
  const union = (await read('src/error/inlay-error.ts')).split('export interface')[0] ?? '';
  const codes = [...union.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map((match) => match[1] as string);
  const told = [...(await read('docs/errors.md')).matchAll(/^\| ([A-Z_]+) \|/gm)].map((match) => match[1] as string);
  expect(codes.length).toBeGreaterThan(20);
  expect(told.toSorted()).toEqual(codes.toSorted());
});

test('exit codes are as docs/errors.md says', async () => {
  const { reportError } = await import('../src/cli/output.ts');
  const { InlayError } = await import('../src/error/index.ts');
  const write = process.stderr.write;
  process.stderr.write = () => true;
  try {
    for (const [, code, exit] of (await read('docs/errors.md')).matchAll(/^\| ([A-Z_]+) \|.*\| (\d+) \|$/gm)) {
      expect([code, reportError(new InlayError(code as never, 'x'), false)]).toEqual([code, Number(exit)]);
    }
  } finally {
    process.stderr.write = write;
  }
});

test('docs/dependencies.md lists every dependency', async () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(await read('package.json')) as Record<
    string,
    Record<string, string>
  >;
  const text = await read('docs/dependencies.md');
  const missing = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
    (name) => !text.includes(name.replace(/^(@oven\/bun-).*/, '$1')),
  );
  expect(missing).toEqual([]);
});

test('docs/architecture.md describes every room', async () => {
  const text = await read('docs/architecture.md');
  const rooms = [...new Set(await Array.fromAsync(new Bun.Glob('src/*/index.ts').scan(ROOT)))].map(
    (path) => path.split('/')[1],
  );
  expect(rooms.filter((room) => !text.includes(`| \`${room}\` |`))).toEqual([]);
});

test('docs/server.md has every variable that the server reads', async () => {
  const source = await read('src/server/settings.ts');
  const read_ = [...source.matchAll(/read\(\s*'([A-Z_]+)'|env\.([A-Z_]+)/g)].map((match) => match[1] ?? match[2]);
  const text = await read('docs/server.md');
  expect(read_.length).toBeGreaterThan(6);
  expect(read_.filter((name) => !text.includes(`| ${name} |`))).toEqual([]);
});

test('links between the pages lead somewhere', async () => {
  const pages = ['README.md', 'CONTRIBUTING.md'];
  for (const pattern of ['docs/**/*.md', 'python/*.md', 'examples/*/*.md'])
    pages.push(...(await Array.fromAsync(new Bun.Glob(pattern).scan(ROOT))));
  const broken: string[] = [];
  for (const page of pages) {
    for (const [, target] of (await read(page)).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      if (!existsSync(join(ROOT, dirname(page), target as string))) broken.push(`${page}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

test('docs/checks.md has every code that check adds and no other', async () => {
  const { CHECK_CODES } = await import('../src/check/index.ts');
  const told = [...(await read('docs/checks.md')).matchAll(/^\| ([A-Z_]+) \|/gm)].map((match) => match[1] as string);
  expect(told.toSorted()).toEqual([...CHECK_CODES].toSorted());
});
