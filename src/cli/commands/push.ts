import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import type { PushResult } from '../../registry/index.ts';
import { inlayHome } from '../home.ts';
import { createOutput, formatBytes, formatMs } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, showTransfer, TAG, withRegistry } from '../registry.ts';
import { describeSigned, SIGN, signInStore, signingKey } from '../signing.ts';

export function addPush(program: Command): void {
  program
    .command('push')
    .summary('push a built image to its registry')
    .description(
      'Pushes an image from the local store. Sends what the registry lacks, and the tag last. A tag that names another image is refused.',
    )
    .argument('<image>', 'the image, as inlay build names it')
    .argument('[to]', 'another name for it there: REGISTRY/REPOSITORY:TAG')
    .option(...TAG)
    .option('--force', 'let tags that name another image name this one')
    .option(...SIGN)
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (image, to, options) => {
      const { OciLayout, storeDir } = await import('../../image/index.ts');
      const { pushImage } = await import('../../registry/index.ts');
      const output = createOutput(options.json === true);
      const started = performance.now();
      const target = await targetOf(to ?? image);
      const layout = await OciLayout.open(storeDir(inlayHome(process.env)));
      const key = await signingKey(options.sign);
      if (key !== undefined) output.progress(describeSigned(await signInStore(layout, image, key)));
      const result = await withRegistry(options, (registry, signal) =>
        pushImage({
          registry,
          layout,
          source: image,
          to: target,
          tags: options.tag,
          force: options.force === true,
          onProgress: showTransfer(output, 'pushed  '),
          signal,
        }),
      );
      output.result(describePush(result, performance.now() - started), result);
    });
}

export function describePush(result: PushResult, tookMs: number): string {
  const { uploaded, mounted, existing, referrers } = result;
  return `${result.reference}\n${formatBytes(result.sentBytes)} sent in ${formatMs(tookMs)}: ${uploaded.length} new, ${mounted.length} mounted, ${existing.length} there, ${referrers.length} attached`;
}

/** Where to push: a name without a registry is no accident on the way to Docker Hub. */
export async function targetOf(text: string) {
  const { parseReference } = await import('../../registry/index.ts');
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw new InlayError('REFERENCE_INVALID', `${text} has a digest, which the image decides`, {
      hint: 'Name the target by a tag: REGISTRY/REPOSITORY:TAG.',
    });
  if (reference.registryNamed) return reference.tag === undefined ? { ...reference, tag: 'latest' } : reference;
  throw new InlayError('REFERENCE_INVALID', `${text} names no registry to push to`, {
    hint: 'Set image: in inlay.yaml to REGISTRY/REPOSITORY and build again, or say where: inlay push IMAGE REGISTRY/REPOSITORY:TAG. Docker Hub is docker.io/NAME/IMAGE.',
  });
}
