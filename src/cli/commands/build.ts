import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import type { BuiltImage } from '../../image/index.ts';
import { buildProject } from '../build-project.ts';
import { createOutput, formatBytes, formatMs, table } from '../output.ts';
import { BASE } from '../pinned-image.ts';
import { CA_FILE, INSECURE_REGISTRY, showTransfer, TAG, withRegistry } from '../registry.ts';
import { describeSigned, SIGN, signInStore, signingKey } from '../signing.ts';
import { haveWhole } from '../whole-image.ts';
import { describePush, targetOf } from './push.ts';

export function addBuild(program: Command): void {
  program
    .command('build')
    .summary('build the model image')
    .description(
      'Builds the model image into the local store (INLAY_HOME). The same inputs give the same digest on any machine.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option('--platform <list>', 'platforms, separated by commas: linux/amd64, linux/arm64 (default: this machine)')
    .option('--compression <kind>', 'of the layers below the model: zstd, or gzip for runtimes without zstd', 'zstd')
    .option(...BASE)
    .option('--output <kind:path>', 'also write the image to oci:DIR, a layout of its own, or docker-archive:FILE')
    .option('--push', 'then push it, as inlay push does')
    .option(...TAG)
    .option('--force', 'with --push: let tags that name another image name this one')
    .option(...SIGN)
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--skip <list>', 'errors of check to accept, recorded in the image: golden, weights, random, memory, size')
    .option('--json', 'print one JSON document')
    .action(async (dir, options) => {
      const { exportDockerArchive, exportLayout, referenceOf } = await import('../../image/index.ts');
      const output = createOutput(options.json === true);
      const started = performance.now();
      const target = options.output === undefined ? undefined : outputTarget(options.output);
      if (options.tag.length > 0 && !options.push)
        throw new InlayError('USAGE', '--tag is for --push', { hint: 'The local tag is the version of inlay.yaml.' });
      let key: Awaited<ReturnType<typeof signingKey>>;
      const { image, layout, platforms } = await buildProject(dir, options, output, async (project, all) => {
        if (target?.kind === 'docker-archive' && all.length > 1)
          throw new InlayError('USAGE', 'a docker-archive holds one platform', { hint: 'Write oci:DIR for several.' });
        if (options.push) await targetOf(referenceOf(project));
        key = await signingKey(options.sign);
      });
      if (key !== undefined) output.progress(describeSigned(await signInStore(layout, image.reference, key)));
      if (target) await haveWhole(layout, image.reference, options, output);
      if (target?.kind === 'oci') await exportLayout(layout, image.reference, target.path);
      const [platform] = platforms;
      if (target?.kind === 'docker-archive' && platform)
        await exportDockerArchive(layout, image.reference, platform, target.path);
      const built = describeImage(image, performance.now() - started);
      if (!options.push) {
        output.result(built, image);
        return;
      }
      const to = await targetOf(image.reference);
      output.progress(built);
      const { pushImage } = await import('../../registry/index.ts');
      const pushing = performance.now();
      const push = await withRegistry(options, (registry, signal) =>
        pushImage({
          registry,
          layout,
          source: image.reference,
          to,
          tags: options.tag,
          force: options.force === true,
          onProgress: showTransfer(output, 'pushed  '),
          signal,
        }),
      );
      output.result(describePush(push, performance.now() - pushing), { ...image, push });
    });
}

export function describeImage(image: BuiltImage, tookMs: number): string {
  const several = image.platforms.length > 1;
  const rows = image.platforms.flatMap((platform) => [
    ...(several ? [[platform.platform, '', '', '']] : []),
    ...platform.layers.map((layer) => [
      layer.kind,
      layer.contents,
      formatBytes(layer.sizeBytes).padStart(8),
      layer.reused ? 'kept' : 'new',
    ]),
  ]);
  const total = image.platforms.reduce((sum, platform) => sum + platform.sizeBytes, 0);
  const models = image.platforms[0]?.layers.filter((layer) => layer.kind === 'model') ?? [];
  const own = models.reduce((sum, layer) => sum + layer.sizeBytes, 0);
  return `${table(rows)}\n${image.reference}@${image.digest}\n${formatBytes(total)}${own === 0 ? '' : `, of which ${formatBytes(own)} are this model's`}, in ${formatMs(tookMs)}`;
}

function outputTarget(text: string): { readonly kind: string; readonly path: string } {
  const { kind, path } = /^(?<kind>oci|docker-archive):(?<path>.+)$/.exec(text)?.groups ?? {};
  if (kind === undefined || path === undefined)
    throw new InlayError('USAGE', `--output ${text}: expected oci:DIR or docker-archive:FILE`, {
      hint: 'For example --output oci:image, or --output docker-archive:image.tar for docker load.',
    });
  return { kind, path };
}
