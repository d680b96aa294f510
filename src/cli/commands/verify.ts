import type { Command } from '@commander-js/extra-typings';
import type { VerifiedImage } from '../../supply/index.ts';
import { inlayHome } from '../home.ts';
import { createOutput, table } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('check who signed an image')
    .description(
      'Checks that a key signed the image, by inlay or by cosign, and that what the image says of its model agrees: in its registry where its name has one, else in the local store. Exit 1 where that is not so.',
    )
    .argument('<image>', 'REGISTRY/REPOSITORY:TAG or @DIGEST, or an image of the local store')
    .requiredOption('--key <file>', 'the public key, PEM')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (image, options) => {
      const { attachmentsInLayout, OciLayout, storeDir } = await import('../../image/index.ts');
      const { attachmentsInRegistry, registryReference } = await import('../../registry/index.ts');
      const { readPublicKey, verifyImage } = await import('../../supply/index.ts');
      const key = await readPublicKey(options.key);
      const reference = registryReference(image);
      const verified = reference
        ? await withRegistry(options, async (registry, signal) =>
            verifyImage(await attachmentsInRegistry({ registry, reference, write: false, signal }), key),
          )
        : await verifyImage(
            await attachmentsInLayout(await OciLayout.open(storeDir(inlayHome(process.env))), image),
            key,
          );
      createOutput(options.json === true).result(describe(verified), verified);
    });
}

function describe(image: VerifiedImage): string {
  const rows = image.platforms.map((one) => [
    one.platform,
    `signed by ${one.signedBy}`,
    `model ${one.model ?? 'none: not an image of inlay'}`,
    `provenance ${one.provenance}`,
    `sbom ${one.sbom}`,
  ]);
  const not = image.notChecked.map((line) => `not checked: ${line}`);
  return `verified  ${image.reference} with key ${image.key}\n${table(rows)}\n${not.join('\n')}`;
}
