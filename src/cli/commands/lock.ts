import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { platformsOf } from '../build-project.ts';
import { inlayHome } from '../home.ts';
import { createOutput } from '../output.ts';
import { BASE, openBase, openServerImage } from '../pinned-image.ts';
import { CA_FILE, INSECURE_REGISTRY } from '../registry.ts';

export function addLock(program: Command): void {
  program
    .command('lock')
    .summary('pin the base anew')
    .description(
      'Pins the base in inlay.lock: the newest versions of its packages, or the digest that its image has now. Commit the file: builds take exactly these.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--platform <list>', 'platforms, separated by commas: linux/amd64, linux/arm64 (default: this machine)')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option(...BASE)
    .action(async (dir, options) => {
      const { readConfig } = await import('../../contract/index.ts');
      const { lockBase, OciLayout, storeDir } = await import('../../image/index.ts');
      const output = createOutput(false);
      const platforms = await platformsOf(options.platform);
      const config = await readConfig(dir);
      const home = inlayHome(process.env);
      const lockPath = join(dir, 'inlay.lock');
      const layout = await OciLayout.open(storeDir(home));
      const opening = { ...options, layout, lockPath, platforms, output, anew: true };
      const image = config.serverImage
        ? await openServerImage(config.serverImage, opening)
        : await openBase(options.base ?? config.base, opening);
      if (image) {
        output.result(`inlay.lock pins ${image.reference} at ${image.digest}`, undefined);
        return;
      }
      for (const platform of platforms) {
        const base = await lockBase({
          platform,
          lockPath,
          cacheDir: join(home, 'cache'),
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
