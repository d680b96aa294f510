import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OciLayout, storeDir } from '../../src/image/index.ts';
import { writeWeightsProject } from '../../test/weights-project.ts';
import { median } from '../serve/median.ts';
import { build, HOME, measure } from './command.ts';

const ROUNDS = 3;
const MB = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

/** 1 GB of weights whose verdict is known, but not their bytes: read, hashed and written, against cp and sha256sum. */
export async function rebuildGigabyte(dir: string): Promise<string[]> {
  const lines: string[] = [];
  for (const [files, mib] of [
    [1, 954],
    [8, 119],
  ] as const) {
    const project = join(dir, `gigabyte-${files}`);
    await writeWeightsProject(project, { name: `gigabyte-${files}`, files, fileBytes: mib * 2 ** 20 });
    const weights = Array.from({ length: files }, (_, i) => join(project, `w${i}.bin`));
    const { image } = await build(project);
    const layout = await OciLayout.open(storeDir(HOME));
    const forget = () => {
      for (const { kind, digest } of image.platforms[0]?.layers ?? [])
        if (kind === 'model') rmSync(layout.blobPath(digest));
      rmSync(join(HOME, 'cache', 'files'), { recursive: true, force: true });
    };
    const ratios: number[] = [];
    const ms: number[] = [];
    let peak = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const copy = join(dir, 'copy');
      mkdirSync(copy);
      const cp = await measure(['cp', ...weights, copy]);
      const sum = await measure(['sha256sum', ...weights]);
      rmSync(copy, { recursive: true });
      forget();
      const rebuilt = await build(project);
      ms.push(rebuilt.ms);
      ratios.push(rebuilt.ms / (cp.ms + sum.ms));
      peak = Math.max(peak, rebuilt.peakBytes);
    }
    const unchanged = await build(project);
    forget();
    rmSync(project, { recursive: true });
    lines.push(
      `1 GB in ${files} file${files > 1 ? 's' : ' '}, read and written       ${(median(ms) / 1000).toFixed(1)} s, ${median(ratios).toFixed(2)} × (cp + sha256sum)      (to reach: 1.5)`,
      `  peak memory                          ${MB(peak)}      (to reach: 200 MB)`,
      `  again, nothing changed               ${unchanged.ms.toFixed(0)} ms`,
    );
  }
  return lines;
}
