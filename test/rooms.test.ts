import { expect, test } from 'bun:test';
import { dirname, join, relative } from 'node:path';

const ROOT = join(import.meta.dir, '..');

/** Each room and the rooms it may import, as docs/architecture.md draws them. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  error: [],
  transform: ['error'],
  contract: ['transform', 'error'],
  engine: ['contract', 'error'],
  web: ['contract', 'error'],
  server: ['engine', 'web', 'transform', 'contract', 'error'],
  source: ['error'],
  check: ['server', 'engine', 'contract', 'source', 'error'],
  image: ['web', 'contract', 'error'],
  registry: ['image', 'contract', 'error'],
  supply: ['image', 'source', 'contract', 'error'],
  container: ['image', 'error'],
  cluster: ['contract', 'error'],
  doctor: ['cluster', 'container', 'registry', 'image', 'error'],
  inventory: ['cluster', 'registry', 'supply', 'image', 'contract', 'error'],
  prune: ['inventory', 'cluster', 'registry', 'image', 'contract', 'error'],
  release: ['check', 'contract', 'error'],
  cli: [
    'release',
    'prune',
    'inventory',
    'doctor',
    'supply',
    'cluster',
    'container',
    'registry',
    'image',
    'check',
    'source',
    'server',
    'engine',
    'contract',
    'error',
  ],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly target: string;
}

async function imports(): Promise<Import[]> {
  const transpiler = new Bun.Transpiler({ loader: 'ts' });
  const all: Import[] = [];
  for await (const file of new Bun.Glob('src/**/*.ts').scan(ROOT)) {
    if (file.endsWith('.d.ts')) continue;
    const text = await Bun.file(join(ROOT, file)).text();
    // Type-only imports vanish when transpiled, but they are arrows too.
    const typed = [...text.matchAll(/^(?:import|export) [^;]*? from '(\.[^']+)'/gms)].map(
      (match) => match[1] as string,
    );
    const run = transpiler
      .scanImports(text)
      .map((found) => found.path)
      .filter((path) => path.startsWith('.'));
    for (const path of new Set([...typed, ...run])) {
      all.push({ file, from: file.split('/')[1] as string, target: relative(ROOT, join(ROOT, dirname(file), path)) });
    }
  }
  return all;
}

test('rooms import only the rooms that the architecture allows', async () => {
  const wrong = (await imports()).filter(({ from, target }) => {
    const room = target.split('/')[1] as string;
    return target.startsWith('src/') && room !== from && !MAY_IMPORT[from]?.includes(room);
  });
  expect(wrong).toEqual([]);
});

test('rooms import the door of another room, never a file behind it', async () => {
  const wrong = (await imports()).filter(({ from, target }) => {
    const [top, room, ...rest] = target.split('/');
    return top === 'src' && room !== from && rest.join('/') !== 'index.ts';
  });
  expect(wrong).toEqual([]);
});

test('every room is known here', async () => {
  const rooms = new Set<string>();
  for await (const file of new Bun.Glob('src/*/**/*.ts').scan(ROOT)) rooms.add(file.split('/')[1] as string);
  expect([...rooms].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
});

test('nothing below the CLI prints, exits or reads process.env', async () => {
  const found: string[] = [];
  for await (const file of new Bun.Glob('src/**/*.ts').scan(ROOT)) {
    // The image's program is an edge, as the CLI is.
    if (file.startsWith('src/cli/') || file === 'src/server/main.ts') continue;
    const text = await Bun.file(join(ROOT, file)).text();
    for (const word of ['process.env', 'process.exit', 'console.', 'process.stdout', 'process.stderr']) {
      // A name that the bundler writes a constant for is not read.
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'process\.env\.NODE_ENV'/g, '');
      if (code.includes(word)) found.push(`${file}: ${word}`);
    }
  }
  expect(found).toEqual([]);
});

test('every room but the command line and the browser’s pages has its door in the package', async () => {
  const { exports } = (await Bun.file(join(ROOT, 'package.json')).json()) as { exports: Record<string, unknown> };
  const doors = Object.keys(MAY_IMPORT).filter((room) => room !== 'cli' && room !== 'web');
  expect(Object.keys(exports).sort()).toEqual([...doors.map((room) => `./${room}`), './package.json'].sort());
});
