// npm run generate:docs: writes docs/commands from the command line's definitions.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgram } from '../src/cli/program.ts';
import { commandPages } from './command-pages.ts';

const folder = join(import.meta.dir, '../docs/commands');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const [name, text] of commandPages(createProgram())) await writeFile(join(folder, name), text);
