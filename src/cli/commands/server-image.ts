import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import type { BuiltImage } from '../../image/index.ts';
import type { PushResult } from '../../registry/index.ts';
import { compressionOf, platformsOf, sourceDateEpoch } from '../build-project.ts';
import { inlayHome } from '../home.ts';
import { createOutput } from '../output.ts';
import { openBase } from '../pinned-image.ts';
import { prepullDaemonSet } from '../prepull.ts';
import { CA_FILE, INSECURE_REGISTRY, showTransfer, TAG, withRegistry } from '../registry.ts';
import { INLAY_VERSION } from '../version.ts';
import { describeImage } from './build.ts';
import { describePush, targetOf } from './push.ts';

export function addServerImage(program: Command): void {
  program
    .command('server-image')
    .summary('build the part that all models share')
    .description(
      'Builds base, runtime and server, without a model, as an image of its own. With serverImage: in inlay.yaml, builds add just the model to it.',
    )
    .argument('<image>', 'what it is called: REGISTRY/REPOSITORY:TAG')
    .option('--platform <list>', 'platforms, separated by commas: linux/amd64, linux/arm64 (default: this machine)')
    .option('--compression <kind>', 'zstd, or gzip for runtimes without zstd', 'zstd')
    .option('--base <image>', 'what it stands on: apt, or an image (default: apt where it is, else distroless cc)')
    .option('--lock <file>', 'where the base is pinned', 'inlay.lock')
    .option('--push', 'then push it')
    .option('--prepull', 'then print the DaemonSet that keeps it on every node, for kubectl apply -f -')
    .option(...TAG)
    .option('--force', 'with --push: let tags that name another image name this one')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (name, options) => {
      const { buildServerImage, OciLayout, storeDir } = await import('../../image/index.ts');
      const output = createOutput(options.json === true);
      const started = performance.now();
      if (options.json && options.prepull)
        throw new InlayError('USAGE', '--json and --prepull both take stdout', { hint: 'Choose one.' });
      const to = await targetOf(name);
      const { formatReference, pushImage } = await import('../../registry/index.ts');
      const reference = formatReference(to);
      const home = inlayHome(process.env);
      const layout = await OciLayout.open(storeDir(home));
      const platforms = await platformsOf(options.platform);
      const opening = { ...options, layout, lockPath: options.lock, platforms, output };
      const image = await buildServerImage({
        reference,
        home,
        platforms,
        base: await openBase(options.base, opening),
        compression: compressionOf(options.compression),
        lockPath: options.lock,
        inlayVersion: INLAY_VERSION,
        epochS: sourceDateEpoch(process.env.SOURCE_DATE_EPOCH),
        env: process.env,
        onProgress: ({ step, message }) => output.progress(`${step.padEnd(8)}  ${message}`),
      });
      const built = describeImage(image, performance.now() - started);
      if (!options.push)
        return output.result(...(await answer(options.prepull, image, built, reference, output.progress)));
      output.progress(built);
      const pushing = performance.now();
      const push = await withRegistry(options, (registry, signal) =>
        pushImage({
          registry,
          layout,
          source: reference,
          to,
          tags: options.tag,
          force: options.force === true,
          onProgress: showTransfer(output, 'pushed  '),
          signal,
        }),
      );
      const pushed = describePush(push, performance.now() - pushing);
      output.result(...(await answer(options.prepull, { ...image, push }, pushed, reference, output.progress)));
    });
}

/** With --prepull the result is the DaemonSet, so that it can be piped; what was done is progress. */
async function answer(
  prepull: true | undefined,
  document: BuiltImage & { readonly push?: PushResult },
  text: string,
  reference: string,
  progress: (line: string) => void,
): Promise<[string, unknown]> {
  if (!prepull) return [text, document];
  progress(text);
  return [await prepullDaemonSet(`${reference}@${document.digest}`), document];
}
