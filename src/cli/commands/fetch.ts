import { resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { InlayError } from '../../error/index.ts';
import { describeFetched, fetchSource } from '../fetch-source.ts';
import { createOutput } from '../output.ts';
import { CA_FILE, INSECURE_REGISTRY } from '../registry.ts';

export function addFetch(program: Command): void {
  program
    .command('fetch')
    .summary('fetch the model that inlay.yaml names a source of')
    .description(
      'Fetches what source: of inlay.yaml names, an MLflow run or registered model or an OCI artifact, into the folder of model:. Where from is remembered beside it, and lands in the provenance and labels of the image. inlay release does it by itself.',
    )
    .argument('[dir]', "the project's folder", '.')
    .option(...INSECURE_REGISTRY)
    .option(...CA_FILE)
    .option('--json', 'print one JSON document')
    .action(async (dir, options) => {
      const { readConfig } = await import('../../contract/index.ts');
      const found = await fetchSource(resolve(dir), await readConfig(dir), options);
      if (found === undefined)
        throw new InlayError('SOURCE_INVALID', 'inlay.yaml has no source:', {
          hint: 'Write source: models:/NAME@ALIAS, runs:/RUN_ID/PATH or oci://REGISTRY/REPOSITORY:TAG.',
        });
      const words = `${describeFetched(found)}${found.kept ? ', there already' : ''}`;
      createOutput(options.json === true).result(words, { ...found.fetched, kept: found.kept });
    });
}
