import { join } from 'node:path';
import { build } from './command.ts';
import { writeIris } from './iris-project.ts';

/** What the iris image weighs, compressed. */
export async function sizes(dir: string): Promise<string[]> {
  const project = join(dir, 'iris');
  writeIris(project, '1');
  const lines: string[] = [];
  for (const [compression, limit] of [
    ['zstd', 62],
    ['gzip', 78],
  ] as const) {
    const { image } = await build(project, ['--compression', compression]);
    const platform = image.platforms[0];
    const parts = platform?.layers.map(({ kind, sizeBytes }) => `${kind} ${(sizeBytes / 1e6).toFixed(2)}`).join(', ');
    lines.push(
      `iris, ${compression}                             ${((platform?.sizeBytes ?? 0) / 1e6).toFixed(1)} MB (${parts})      (to reach: ${limit} MB)`,
    );
  }
  return lines;
}
