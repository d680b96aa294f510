import type { SeenServer } from '../cluster/view.ts';
import type { Catalogue } from '../image/catalogue.ts';
import type { ImageFacts } from '../image/facts.ts';
import { isDeployedByInlay, isSystem, looksLikeModelServer, modelPackages } from '../image/model-server.ts';
import type { ServerRow } from '../row.ts';
import { imageOf, serverRow } from './server-row.ts';

export interface ResolveOptions {
  readonly context: string;
  readonly catalogue: Catalogue;
  /** Every workload, not only what serves models. */
  readonly all: boolean;
}

/**
 * A server's row, with what its registry tells of its image; undefined for what is no model server. What decides is in
 * docs/inventory.md, "Which servers".
 */
export async function resolveServer(server: SeenServer, options: ResolveOptions): Promise<ServerRow | undefined> {
  const { context, catalogue, all } = options;
  const { workload } = server;
  if (!all && isSystem(workload.namespace)) return undefined;
  const ours = isDeployedByInlay(workload);
  const sure = ours || all || looksLikeModelServer(workload) !== undefined;
  const image = imageOf(server);
  let looked = await catalogue.look(image, sure && !ours);
  if (!sure) {
    if (!('facts' in looked)) return undefined;
    if (looked.facts.builtBy !== 'inlay') {
      // Only what runs Python can be told by its packages, and only then are layers worth their bytes.
      if (!looked.facts.python) return undefined;
      looked = await catalogue.look(image, true);
      if (!('facts' in looked) || !servesModels(looked.facts)) return undefined;
    }
  }
  const { place } = image;
  const tagDigest = place?.tag === undefined ? undefined : await catalogue.lookTag(place);
  return serverRow({ context, server, image, looked, tagDigest });
}

function servesModels(facts: ImageFacts): boolean {
  return modelPackages(facts).length > 0;
}
