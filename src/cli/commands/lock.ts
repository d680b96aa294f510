import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { inlayHome } from '../home.ts';
import { createOutput } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY } from '../registry.ts';
import { openServerImage } from '../server-image.ts';

export function addLock(program: Command): void {
  program
    .command('lock')
    .summary('pin the base anew')
    .description(
      "Pins the newest versions of the base's packages in inlay.lock. Commit the file: builds take exactly these.",
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--platform <list>', 'platforms, separated by commas: linux/amd64, linux/arm64 (default: this machine)')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .action(async (dir, options) => {
      const { readProject } = await import('../../contract/index.ts');
      const { hostPlatform, lockBase, parsePlatform } = await import('../../image/index.ts');
      const output = createOutput(false);
      const platforms =
        options.platform === undefined
          ? [hostPlatform(process.arch)]
          : options.platform.split(',').map((text) => parsePlatform(text.trim()));
      const project = await readProject(dir);
      const named = project.config.serverImage;
      if (named !== undefined) {
        const { OciLayout, storeDir } = await import('../../image/index.ts');
        const layout = await OciLayout.open(storeDir(inlayHome(process.env)));
        const lockPath = join(project.dir, 'inlay.lock');
        const { digest } = await openServerImage(named, { ...options, layout, lockPath, anew: true });
        output.result(`inlay.lock pins ${named} at ${digest}`, undefined);
        return;
      }
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
