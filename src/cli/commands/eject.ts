import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import { buildProject } from '../build-project.ts';
import { createOutput } from '../output.ts';
import { BASE } from '../pinned-image.ts';
import { CA_FILE, INSECURE_REGISTRY } from '../registry.ts';
import { haveWhole } from '../whole-image.ts';

export function addEject(program: Command): void {
  program
    .command('eject')
    .summary('write a Dockerfile that makes the same image')
    .description(
      'Builds the image and writes a folder with a Dockerfile and its layers, for those who have to use docker build. Same files and settings; the digest is docker’s.',
    )
    .argument('[dir]', "the project's folder", '.')
    .requiredOption('--output <dir>', 'a folder that is empty or not there yet')
    .option('--platform <platform>', 'linux/amd64 or linux/arm64 (default: this machine)')
    .option(...BASE)
    .option('--skip <list>', 'errors of check to accept, as for build')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (dir, options) => {
      const { ejectImage } = await import('../../image/index.ts');
      const output = createOutput(options.json === true);
      const built = await buildProject(dir, { ...options, compression: 'zstd' }, output);
      const [platform, other] = built.platforms;
      if (platform === undefined || other !== undefined)
        throw new InlayError('USAGE', 'a Dockerfile is for one platform', { hint: 'Eject each into its own folder.' });
      await haveWhole(built.layout, built.image.reference, options, output);
      const files = await ejectImage(built.layout, built.image.reference, platform, options.output);
      output.result(
        `${files.length} files in ${options.output}. Next: docker build -t ${built.image.reference} ${options.output}`,
        { reference: built.image.reference, dir: options.output, files },
      );
    });
}
