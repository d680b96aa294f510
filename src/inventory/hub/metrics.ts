import type { Hub, HubRow } from './hub.ts';

/** The page of /metrics, in Prometheus' text format. */
export function metricsPage(hub: Hub, now = Date.now()): string {
  const rows = [...hub.rows.values()];
  const lines: string[] = [];
  const metric = (name: string, help: string, type: 'gauge' | 'counter', samples: readonly Sample[]) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const { labels, value } of samples) lines.push(`${name}${labelsOf(labels)} ${value}`);
  };
  metric('inlay_hub_servers', 'Servers by state.', 'gauge', countStates(rows));
  metric(
    'inlay_server_rolled_out_timestamp_seconds',
    'When what a server runs was rolled out.',
    'gauge',
    rows.flatMap((row) =>
      row.since === null
        ? []
        : [{ labels: { ...nameOf(row), version: row.model?.version ?? '' }, value: Date.parse(row.since) / 1000 }],
    ),
  );
  metric(
    'inlay_server_drift',
    'What is not as it should be.',
    'gauge',
    rows.flatMap((row) => row.drift.map(({ kind }) => ({ labels: { ...nameOf(row), kind }, value: 1 }))),
  );
  metric(
    'inlay_server_unsigned',
    'Servers whose image has no signature attached.',
    'gauge',
    rows.filter(({ signed }) => signed === false).map((row) => ({ labels: nameOf(row), value: 1 })),
  );
  metric(
    'inlay_server_restarts',
    'Restarts of the present pods of a server.',
    'gauge',
    rows.map((row) => ({ labels: nameOf(row), value: row.restarts })),
  );
  metric(
    'inlay_canary_waiting_seconds',
    'For how long a canary has waited for somebody to decide.',
    'gauge',
    rows.flatMap(({ role, release, context, namespace, service }) =>
      role === 'canary' && release?.waitingSince
        ? [
            {
              labels: { context, namespace, service },
              value: Math.max(0, (now - Date.parse(release.waitingSince)) / 1000),
            },
          ]
        : [],
    ),
  );
  const followed = hub.followers.filter(({ state }) => state !== 'same-cluster');
  metric(
    'inlay_hub_scan_seconds',
    'How long the first listing of a cluster took.',
    'gauge',
    followed.flatMap(({ context, scanSeconds }) =>
      scanSeconds === undefined ? [] : [{ labels: { context }, value: scanSeconds }],
    ),
  );
  metric(
    'inlay_hub_last_observation_timestamp_seconds',
    'When a cluster was last heard; when the hub started, before that.',
    'gauge',
    followed.map(({ context, heardAt = Date.parse(hub.startedAt) }) => ({
      labels: { context },
      value: heardAt / 1000,
    })),
  );
  metric(
    'inlay_hub_lists_total',
    'How often a kind of objects was listed from its beginning, which a watch avoids.',
    'counter',
    followed.map(({ context, lists }) => ({ labels: { context }, value: lists })),
  );
  metric('inlay_hub_image_lookups_total', 'Images read from registries.', 'counter', [
    { labels: {}, value: hub.catalogue.lookups },
  ]);
  metric('inlay_hub_writer', 'Whether this hub writes the ledger.', 'gauge', [
    { labels: {}, value: hub.writes ? 1 : 0 },
  ]);
  return `${lines.join('\n')}\n`;
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function countStates(rows: readonly HubRow[]): Sample[] {
  const counts = new Map<string, Sample & { value: number }>();
  for (const { context, replicas } of rows) {
    const state = replicas.ready === 0 ? 'down' : replicas.ready < replicas.desired ? 'degraded' : 'ready';
    const counted = counts.get(`${context} ${state}`) ?? { labels: { context, state }, value: 0 };
    counted.value++;
    counts.set(`${context} ${state}`, counted);
  }
  return [...counts.values()];
}

function nameOf({ context, namespace, service, role }: HubRow) {
  return { context, namespace, service, role: role ?? '' };
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`))}"`,
  );
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}
