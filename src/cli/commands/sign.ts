import type { Command } from '@commander-js/extra-typings';
import { inlayHome } from '../home.ts';
import { createOutput } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY, withRegistry } from '../registry.ts';
import { describeSigned, signInStore } from '../signing.ts';

export function addSign(program: Command): void {
  program
    .command('sign')
    .summary('sign an image')
    .description(
      'Signs an image with a key, its index and each of its platforms, as cosign does: in its registry where its name has one, else in the local store. The password of the key comes from COSIGN_PASSWORD.',
    )
    .argument('<image>', 'REGISTRY/REPOSITORY:TAG or @DIGEST, or an image of the local store')
    .requiredOption('--key <file>', "a private key: cosign's, or PKCS#8 in PEM (ECDSA P-256)")
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (image, options) => {
      const { OciLayout, storeDir } = await import('../../image/index.ts');
      const { attachmentsInRegistry, registryReference } = await import('../../registry/index.ts');
      const { readSigningKey, signImage } = await import('../../supply/index.ts');
      const key = await readSigningKey(options.key, process.env.COSIGN_PASSWORD);
      const reference = registryReference(image);
      const signed = reference
        ? await withRegistry(options, async (registry, signal) =>
            signImage(await attachmentsInRegistry({ registry, reference, write: true, signal }), key, {
              provenance: false,
            }),
          )
        : await signInStore(await OciLayout.open(storeDir(inlayHome(process.env))), image, key);
      createOutput(options.json === true).result(describeSigned(signed), signed);
    });
}
