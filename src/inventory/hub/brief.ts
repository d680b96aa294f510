import type { BriefRow } from '../../web/index.ts';
import { serverKey } from '../ledger/cluster-ledger.ts';
import { type LibraryQuery, versionOf } from '../question/library-query.ts';
import type { ServerRow } from '../row.ts';
import { idOf } from './hub.ts';

/** What a list shows of a row, a tenth of it. @param library the one that was asked for: its version is shown */
export function briefOf(row: ServerRow & { readonly observed?: boolean }, library?: LibraryQuery): BriefRow {
  const { context, namespace, service, role, workload, replicas, restarts, weight, model, image, owner, signed } = row;
  const { since, drift, release, unknown, observed } = row;
  const version = library && versionOf(row.libraries, library.name);
  return {
    id: idOf(context, serverKey(row)),
    context,
    namespace,
    service,
    role,
    kind: workload.kind,
    workload: workload.name,
    ready: replicas.ready,
    desired: replicas.desired,
    restarts,
    weight,
    model: model?.name ?? null,
    version: model?.version ?? null,
    reference: image.reference,
    index: image.index,
    owner,
    signed,
    since,
    drift,
    release: release && { state: release.state, actor: release.actor, reason: release.reason },
    ...(unknown.image === undefined ? {} : { unknown: unknown.image }),
    ...(version === undefined ? {} : { library: version }),
    ...(observed === undefined ? {} : { observed }),
  };
}
