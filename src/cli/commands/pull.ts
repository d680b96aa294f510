import type { Command } from '@commander-js/extra-typings';
import { inlayHome } from '../home.ts';
import { createOutput, formatBytes, formatMs } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, showTransfer, withRegistry } from '../registry.ts';

export function addPull(program: Command): void {
  program
    .command('pull')
    .summary('fetch an image into the local store')
    .description('Fetches an image with all its platforms, each byte checked against its digest. inlay run starts it.')
    .argument('<image>', 'REGISTRY/REPOSITORY:TAG or @DIGEST')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (image, options) => {
      const { OciLayout, storeDir } = await import('../../image/index.ts');
      const { parseReference, pullImage } = await import('../../registry/index.ts');
      const output = createOutput(options.json === true);
      const started = performance.now();
      const from = parseReference(image);
      const layout = await OciLayout.open(storeDir(inlayHome(process.env)));
      const onProgress = showTransfer(output, 'pulled  ');
      const result = await withRegistry(options, (registry, signal) =>
        pullImage({ registry, layout, from, name: image, onProgress, signal }),
      );
      const took = formatMs(performance.now() - started);
      output.result(
        `${result.reference}\n${formatBytes(result.receivedBytes)} received in ${took}: ${result.downloaded.length} new, ${result.existing.length} there`,
        result,
      );
    });
}
