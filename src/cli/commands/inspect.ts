import type { Command } from '@commander-js/extra-typings';
import type { InspectedImage } from '../../registry/index.ts';
import { inlayHome } from '../home.ts';
import { createOutput, formatBytes, table } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .summary('what is in an image')
    .description(
      'Shows contract, layers, libraries, signatures, SBOM and provenance: of the image in the local store, else of the one in its registry, without its layers.',
    )
    .argument('<image>', 'the image')
    .option('--platform <platform>', 'linux/amd64 or linux/arm64 (default: this machine)')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (image, options) => {
      const { hostPlatform, OciLayout, parsePlatform, storeDir } = await import('../../image/index.ts');
      const { inspectImage } = await import('../../registry/index.ts');
      const platform = options.platform === undefined ? hostPlatform(process.arch) : parsePlatform(options.platform);
      const layout = await OciLayout.open(storeDir(inlayHome(process.env)));
      const inspected = await withRegistry(options, (registry, signal) =>
        inspectImage({ registry, layout, reference: image, platform, signal }),
      );
      createOutput(options.json === true).result(describe(inspected), inspected);
    });
}

/** What is attached is listed, not verified: that is for inlay verify. */
function attached(list: InspectedImage['signatures']): string {
  const types = [...new Set(list.map((one) => one.artifactType))].join(', ');
  return list.length === 0 ? 'none' : `${list.length} (${types})`;
}

/** The first of them; all are in the document of --json. */
function someOf(libraries: InspectedImage['libraries']): string {
  const all = Object.entries(libraries).map(([name, version]) => `${name} ${version}`);
  const more = all.length - SHOWN;
  return [...all.slice(0, SHOWN), ...(more > 0 ? [`and ${more} more (--json)`] : [])].join(', ') || 'none known';
}

const SHOWN = 4;

function describe(image: InspectedImage): string {
  const { contract } = image;
  const facts = [
    ...(contract
      ? [
          ['model', `${contract.name} ${contract.version}, ${contract.task}, ${contract.model.digest}`],
          ...(contract.model.path === undefined ? [] : [['format', `opaque, at ${contract.model.path}`]]),
          ['inputs', JSON.stringify(contract.inputs)],
          ['outputs', JSON.stringify(contract.outputs)],
          ...(contract.labels ? [['labels', contract.labels.join(', ')]] : []),
          ...(contract.owner ? [['owner', contract.owner]] : []),
        ]
      : [['model', 'none: inlay did not build this image']]),
    ['runs on', `${image.os}, ${image.platform}`],
    ['libraries', someOf(image.libraries)],
    ['signatures', attached(image.signatures)],
    ['sbom', attached(image.sboms)],
    ['provenance', attached(image.provenance)],
  ];
  const layers = image.layers.map((layer) => [layer.kind, formatBytes(layer.sizeBytes).padStart(8), layer.digest]);
  const digest = image.reference.includes('@') ? image.reference : `${image.reference}@${image.digest}`;
  return `${digest}\n${table(facts)}\n${table(layers)}`;
}
