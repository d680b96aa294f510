import type { Command } from '@commander-js/extra-typings';
import { createOutput, formatBytes, formatMs } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, showTransfer, TAG, withRegistry } from '../registry.ts';
import { targetOf } from './push.ts';

export function addCopy(program: Command): void {
  program
    .command('copy')
    .summary('copy an image from registry to registry')
    .description(
      'Copies an image by digest, with its signatures and whatever else is attached to it. In one registry nothing but manifests is sent.',
    )
    .argument('<from>', 'REGISTRY/REPOSITORY:TAG or @DIGEST')
    .argument('<to>', 'REGISTRY/REPOSITORY:TAG')
    .option(...TAG)
    .option('--force', 'let tags that name another image name this one')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (from, to, options) => {
      const { copyImage, parseReference } = await import('../../registry/index.ts');
      const output = createOutput(options.json === true);
      const started = performance.now();
      const source = parseReference(from);
      const target = await targetOf(to);
      const result = await withRegistry(options, (registry, signal) =>
        copyImage({
          registry,
          from: source,
          to: target,
          tags: options.tag,
          force: options.force === true,
          onProgress: showTransfer(output, 'copied  '),
          signal,
        }),
      );
      const { uploaded, mounted, existing, referrers } = result;
      const took = formatMs(performance.now() - started);
      output.result(
        `${result.reference}\n${formatBytes(result.sentBytes)} sent in ${took}: ${uploaded.length} new, ${mounted.length} mounted, ${existing.length} there, ${referrers.length} attached`,
        result,
      );
    });
}
