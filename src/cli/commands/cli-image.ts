import type { Command } from '@commander-js/extra-typings';
import { compressionOf, platformsOf } from '../build-project.ts';
import { buildOwnImage, pushOwnImage } from '../cli-image.ts';
import { createOutput } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';
import { describeImage } from './build.ts';
import { describePush, targetOf } from './push.ts';

export function addCliImage(program: Command): void {
  program
    .command('cli-image')
    .summary('build an image of inlay itself')
    .description(
      'Builds an image of this command line on the base and runtime of every model image, for what runs in a cluster: releases, verdicts, the hub, pruning. Its tag is made of inlay’s version and what is in it.',
    )
    .argument('<repository>', 'what it is called: REGISTRY/REPOSITORY')
    .option('--platform <list>', 'platforms, separated by commas: linux/amd64, linux/arm64 (default: this machine)')
    .option('--compression <kind>', 'zstd, or gzip for runtimes without zstd', 'zstd')
    .option('--lock <file>', 'where the packages of the base are pinned (default: in INLAY_HOME)')
    .option('--push', 'then push it')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (repository, options) => {
      const output = createOutput(options.json === true);
      const started = performance.now();
      await targetOf(repository);
      const flags = {
        platforms: await platformsOf(options.platform),
        compression: compressionOf(options.compression),
        lockPath: options.lock,
      };
      const image = await buildOwnImage(repository, flags, output);
      const built = describeImage(image, performance.now() - started);
      if (!options.push) return output.result(built, image);
      output.progress(built);
      const pushing = performance.now();
      const push = await withRegistry(options, (registry, signal) => pushOwnImage(registry, image, output, signal));
      output.result(describePush(push, performance.now() - pushing), { ...image, push });
    });
}
