// npm run bench:serve: measures the server beside its peers, prints a table for each figure and writes JSON.
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireTwoCores } from './cores.ts';
import type { Figure } from './figure.ts';
import { binary } from './figures/binary.ts';
import { grpc } from './figures/grpc.ts';
import { heavy } from './figures/heavy.ts';
import { idle } from './figures/idle.ts';
import { memory } from './figures/memory.ts';
import { overload } from './figures/overload.ts';
import { rows } from './figures/rows.ts';
import { startup } from './figures/startup.ts';
import { tail } from './figures/tail.ts';
import { throughput } from './figures/throughput.ts';
import { layOutModel } from './models/model-dir.ts';
import { renderFigure } from './render.ts';
import type { FigureResult } from './result.ts';
import { ROOT } from './root.ts';

const FIGURES: readonly Figure[] = [throughput, tail, memory, startup, heavy, overload, rows, binary, grpc, idle];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    without: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const chosen = list(values.only);
const unknown = chosen.filter((id) => !FIGURES.some((figure) => figure.id === id));
if (unknown.length > 0) {
  console.error(`no figure ${unknown.join(', ')}: there are ${FIGURES.map((figure) => figure.id).join(', ')}`);
  process.exit(2);
}
requireTwoCores();

const rounds = Number(values.rounds ?? (values.quick ? 2 : 7));
const iris = await layOutModel(join(ROOT, 'examples', 'iris'));
const started = new Date();
const results: (FigureResult & { readonly id: string; readonly title: string })[] = [];
for (const figure of FIGURES) {
  if (chosen.length > 0 && !chosen.includes(figure.id)) continue;
  const onProgress = (text: string) => void process.stderr.write(`${figure.id}: ${text}\n`);
  const result = await figure.run({ quick: values.quick, rounds, iris, without: list(values.without), onProgress });
  results.push({ id: figure.id, title: figure.title, ...result });
  console.log(renderFigure(figure.title, result));
}
if (values.json !== undefined) {
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, bun: Bun.version };
  const document = {
    schemaVersion: 1,
    startedAt: started.toISOString(),
    quick: values.quick,
    rounds,
    machine,
    figures: results,
  };
  await writeFile(values.json, `${JSON.stringify(document, null, 2)}\n`);
}

/** `--only a,b --only c`: a, b and c. */
function list(words: readonly string[]): string[] {
  return words.flatMap((word) => word.split(','));
}
