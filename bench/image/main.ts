// npm run bench:image: what building and pushing cost. `--only NAME,NAME`; `--kills N` (default 50).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pushKilled } from './push-killed.ts';
import { pushRetrained } from './push-retrained.ts';
import { rebuildGigabyte } from './rebuild-gigabyte.ts';
import { rebuildIris } from './rebuild-iris.ts';
import { sizes } from './sizes.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, kills: { type: 'string', default: '50' } } });
const figures: Record<string, (dir: string) => Promise<string[]>> = {
  iris: rebuildIris,
  gigabyte: rebuildGigabyte,
  sizes,
  push: pushRetrained,
  killed: (dir) => pushKilled(dir, Number(values.kills)),
};
const wanted = values.only?.split(',') ?? Object.keys(figures);
for (const name of wanted)
  if (!(name in figures)) {
    console.error(`no figure ${name}: there are ${Object.keys(figures).join(', ')}`);
    process.exit(2);
  }
const dir = mkdtempSync(join(tmpdir(), 'inlay-bench-image-'));
try {
  for (const name of wanted) for (const line of (await figures[name]?.(dir)) ?? []) console.log(line);
} finally {
  rmSync(dir, { recursive: true });
}
