import { join } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import type { Project } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import type { BuiltImage } from '../../image/index.ts';
import { inlayHome } from '../home.ts';
import { createOutput, formatBytes, formatMs, table } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, showTransfer, TAG, withRegistry } from '../registry.ts';
import { describeSigned, SIGN, signInStore, signingKey } from '../signing.ts';
import { INLAY_VERSION } from '../version.ts';
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
    .option('--output <oci:DIR>', 'also write the image to an OCI layout of its own')
    .option('--push', 'then push it, as inlay push does')
    .option(...TAG)
    .option('--force', 'with --push: let tags that name another image name this one')
    .option(...SIGN)
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--skip <list>', 'errors of check to accept, recorded in the image: golden, weights, random, memory, size')
    .option('--json', 'print one JSON document')
    .action(async (dir, options) => {
      const { readProject } = await import('../../contract/index.ts');
      const { acceptedCodes, requireGood } = await import('../../check/index.ts');
      const { buildImage, exportLayout, hostPlatform, OciLayout, parsePlatform, referenceOf, storeDir } = await import(
        '../../image/index.ts'
      );
      const output = createOutput(options.json === true);
      const started = performance.now();
      const { compression } = options;
      if (compression !== 'zstd' && compression !== 'gzip')
        throw new InlayError('USAGE', `no compression ${compression}`, { hint: 'Choose zstd or gzip.' });
      const target = options.output === undefined ? undefined : layoutTarget(options.output);
      const platforms =
        options.platform === undefined
          ? [hostPlatform(process.arch)]
          : [...new Set(options.platform.split(','))].map((text) => parsePlatform(text.trim()));
      const accepted = options.skip === undefined ? [] : acceptedCodes(options.skip.split(','));
      const project = accept(await readProject(dir), accepted);
      if (options.tag.length > 0 && !options.push)
        throw new InlayError('USAGE', '--tag is for --push', { hint: 'The local tag is the version of inlay.yaml.' });
      // Looked at before minutes of building.
      const destination = options.push ? await targetOf(referenceOf(project)) : undefined;
      const key = await signingKey(options.sign);
      const home = inlayHome(process.env);
      const kept = await requireGood(project, join(home, 'cache', 'verdicts'), INLAY_VERSION);
      output.progress(`check     ${kept ? 'as before' : 'ok'}`);
      const epochS = sourceDateEpoch(process.env.SOURCE_DATE_EPOCH);
      const result = await buildImage({
        project,
        home,
        platforms,
        compression,
        lockPath: join(project.dir, 'inlay.lock'),
        inlayVersion: INLAY_VERSION,
        epochS,
        env: process.env,
        onProgress: ({ step, message }) => output.progress(`${step.padEnd(8)}  ${message}`),
      });
      const layout = await OciLayout.open(storeDir(home));
      const { attachStatements } = await import('../../supply/index.ts');
      const statements = await attachStatements({
        layout,
        project,
        built: result,
        compression,
        epochS,
        inlayVersion: INLAY_VERSION,
        env: process.env,
      });
      const image = { ...result.image, ...statements };
      if (key !== undefined) output.progress(describeSigned(await signInStore(layout, image.reference, key)));
      if (target !== undefined) await exportLayout(layout, image.reference, target);
      const built = describeImage(image, performance.now() - started);
      if (destination === undefined) {
        output.result(built, image);
        return;
      }
      output.progress(built);
      const { pushImage } = await import('../../registry/index.ts');
      const pushing = performance.now();
      const push = await withRegistry(options, (registry, signal) =>
        pushImage({
          registry,
          layout,
          source: image.reference,
          to: destination,
          tags: options.tag,
          force: options.force === true,
          onProgress: showTransfer(output, 'pushed  '),
          signal,
        }),
      );
      output.result(describePush(push, performance.now() - pushing), { ...image, push });
    });
}

/** What somebody accepted is part of what the image promises. */
function accept(project: Project, codes: readonly string[]): Project {
  return codes.length === 0 ? project : { ...project, contract: { ...project.contract, accepted: [...codes] } };
}

function describeImage(image: BuiltImage, tookMs: number): string {
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
  const own = image.platforms[0]?.layers.find((layer) => layer.kind === 'model')?.sizeBytes ?? 0;
  return `${table(rows)}\n${image.reference}@${image.digest}\n${formatBytes(total)}, of which ${formatBytes(own)} are this model's, in ${formatMs(tookMs)}`;
}

function layoutTarget(text: string): string {
  const dir = /^oci:(.+)$/.exec(text)?.[1];
  if (dir === undefined)
    throw new InlayError('USAGE', `--output ${text}: expected oci:DIR`, { hint: 'For example --output oci:image.' });
  return dir;
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), or 0: no clock is read. */
function sourceDateEpoch(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new InlayError('USAGE', `SOURCE_DATE_EPOCH=${text}: expected seconds since 1970`);
}
