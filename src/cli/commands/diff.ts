import { tmpdir } from 'node:os';
import type { Command } from '@commander-js/extra-typings';
import type { ModelDiff } from '../../check/index.ts';
import type { ImageDiff } from '../../image/index.ts';
import { openSide, type Side } from '../diff-side.ts';
import { inlayHome } from '../home.ts';
import { offerOnnxRuntime } from '../onnx-runtime.ts';
import { createOutput, EXIT, formatBytes, table } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';

export function addDiff(program: Command): void {
  program
    .command('diff')
    .summary('what changes between two models')
    .description(
      'Compares two projects or images, of the local store or of a registry: contract by rule, layers and libraries of images, and how both models answer the golden cases where both are here. Exits 1 when the change is breaking.',
    )
    .argument('<from>', 'what is served now: a folder, or an image')
    .argument('<to>', 'what would replace it')
    .option('--platform <platform>', 'of images: linux/amd64 or linux/arm64 (default: this machine)')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (from, to, options) => {
      const { hostPlatform, OciLayout, parsePlatform, storeDir } = await import('../../image/index.ts');
      const platform = options.platform === undefined ? hostPlatform(process.arch) : parsePlatform(options.platform);
      const layout = await OciLayout.open(storeDir(inlayHome(process.env)));
      const diff = await withRegistry(options, async (registry, signal) => {
        const places = { registry, layout, platform, scratch: tmpdir(), signal };
        const sides: Side[] = [];
        try {
          for (const text of [from, to]) sides.push(await openSide(text, places));
          await offerOnnxRuntime(createOutput(options.json === true));
          return await compare(sides[0] as Side, sides[1] as Side);
        } finally {
          for (const side of sides) await side.close();
        }
      });
      createOutput(options.json === true).result(describe(diff), diff);
      if (diff.verdict === 'breaking') process.exitCode = EXIT.no;
    });
}

/** Of two images also which layers they share. */
type Diff = ModelDiff & Partial<Pick<ImageDiff, 'layers' | 'newBytes'>>;

async function compare(from: Side, to: Side): Promise<Diff> {
  const { diffModels } = await import('../../check/index.ts');
  const { diffImages } = await import('../../image/index.ts');
  const image = from.described && to.described ? diffImages(from.described, to.described) : undefined;
  const models = await diffModels(from, to, image?.changes);
  return image ? { ...models, layers: image.layers, newBytes: image.newBytes } : models;
}

function describe({ verdict, changes, answers, layers, newBytes = 0 }: Diff): string {
  const rows = changes.map((change) => [change.what, change.from ?? '-', change.to ?? '-', change.verdict]);
  const answered = answers
    ? `answers   ${(answers.agreement * 100).toFixed(1)} % of ${answers.rows} golden rows agree${answers.labelFlips === undefined ? '' : `, ${answers.labelFlips} labels flip`}, largest shift ${answers.largestShift.toPrecision(3)} (row ${answers.largestShiftRow})`
    : 'answers   not compared: there are no golden cases that both models take, or a model is not here (inlay pull)';
  const shared = layers?.shared.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) ?? 0;
  return [
    ...(rows.length > 0 ? [table([['what', 'from', 'to', 'verdict'], ...rows])] : []),
    ...(layers
      ? [
          `layers    ${layers.shared.length} shared (${formatBytes(shared)}), ${layers.to.length} new (${formatBytes(newBytes)}): ${layers.to.map(({ kind }) => kind).join(', ') || 'none'}`,
        ]
      : []),
    answered,
    `${verdict}`,
  ].join('\n');
}
