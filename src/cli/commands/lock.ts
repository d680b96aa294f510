import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { inlayHome } from '../home.ts';
import { createOutput } from '../output.ts';

export function addLock(program: Command): void {
  program
    .command('lock')
    .summary('pin the base anew')
    .description(
      "Pins the newest versions of the base's packages in inlay.lock. Commit the file: builds take exactly these.",
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--platform <list>', 'platforms, separated by commas: linux/amd64, linux/arm64 (default: this machine)')
    .action(async (dir, options) => {
      const { readProject } = await import('../../contract/index.ts');
      const { hostPlatform, lockBase, parsePlatform } = await import('../../image/index.ts');
      const output = createOutput(false);
      const platforms =
        options.platform === undefined
          ? [hostPlatform(process.arch)]
          : options.platform.split(',').map((text) => parsePlatform(text.trim()));
      const project = await readProject(dir);
      for (const platform of platforms) {
        const base = await lockBase({
          platform,
          lockPath: join(project.dir, 'inlay.lock'),
          cacheDir: join(inlayHome(process.env), 'cache'),
          env: process.env,
          onProgress: ({ step, message }) => output.progress(`${step.padEnd(8)}  ${message}`),
        });
        output.result(
          `inlay.lock pins ${base.facts.packages.length} packages of ${base.facts.os.prettyName} for ${platform.os}/${platform.architecture}`,
          undefined,
        );
      }
    });
}
