import type { PastRow, ServerRow } from '../inventory/index.ts';
import { table } from './output.ts';
import { ago } from './release-view.ts';

/** Libraries that tell most of a server, in this order. */
const TELLING = ['onnxruntime', 'torch', 'tensorflow', 'scikit-learn', 'xgboost', 'lightgbm', 'transformers', 'vllm'];

type Listed = ServerRow & Partial<Pick<PastRow, 'observed'>>;

/** Servers for people; `wide` has a column for everything. Of the past it says times instead of ages, and what nobody saw. */
export function describeInventory(servers: readonly Listed[], wide: boolean): string {
  const contexts = new Set(servers.map(({ context }) => context)).size > 1;
  const namespaces = wide || new Set(servers.map(({ namespace }) => namespace)).size > 1;
  const past = servers.some(({ observed }) => observed !== undefined);
  const columns: readonly (readonly [string, (row: Listed) => string])[] = [
    ...(contexts || wide ? [['context', (row: ServerRow) => row.context] as const] : []),
    ...(namespaces ? [['namespace', (row: ServerRow) => row.namespace] as const] : []),
    ['service', (row) => row.service],
    ['role', (row) => row.role ?? '?'],
    ['version', (row) => row.model?.version ?? '-'],
    ['since', (row) => (row.since === null ? 'unknown' : past ? minute(row.since) : ago(row.since))],
    ...(servers.some(({ observed }) => observed === false)
      ? [['watched', (row: Listed) => (row.observed === false ? 'no' : 'yes')] as const]
      : []),
    ['ready', ({ replicas }) => `${replicas.ready}/${replicas.desired}`],
    ['input', inputOf],
    ['libraries', librariesOf],
    ['owner', (row) => row.owner ?? 'nobody'],
    ...(wide
      ? ([
          ['model', (row) => row.model?.digest.slice(0, 19) ?? '-'],
          ['task', (row) => row.task ?? '-'],
          ['output', (row) => row.outputs?.map(tensor).join(', ') ?? '-'],
          ['image', (row) => row.image.reference],
          ['digest', (row) => row.image.digest?.slice(0, 19) ?? '-'],
          ['inlay', (row) => row.inlay ?? '-'],
          ['signed', (row) => (row.signed === null ? '?' : row.signed ? 'yes' : 'no')],
          ['commit', ({ source }) => (source ? `${source.commit.slice(0, 12)}${source.dirty ? '+' : ''}` : '-')],
          ['run', (row) => row.trainingRun ?? '-'],
          ['restarts', (row) => String(row.restarts)],
          ['first seen', (row) => row.firstSeen ?? 'unknown'],
          ['by', (row) => row.release?.actor ?? '-'],
        ] as const satisfies readonly (readonly [string, (row: ServerRow) => string])[])
      : []),
    ['drift', driftOf],
  ];
  const rows = [columns.map(([name]) => name), ...servers.map((row) => columns.map(([, cell]) => cell(row)))];
  return servers.length === 0 ? 'No server fits.' : table(rows);
}

/** `2026-06-01T14:00Z` */
function minute(time: string): string {
  return `${new Date(time).toISOString().slice(0, 16)}Z`;
}

function tensor({ name, datatype, shape }: NonNullable<ServerRow['inputs']>[number]): string {
  return `${name} ${datatype} [${shape.join(',')}]`;
}

function inputOf({ inputs }: ServerRow): string {
  const [first, ...others] = inputs ?? [];
  return first ? `${tensor(first)}${others.length > 0 ? ` +${others.length}` : ''}` : 'unknown';
}

function librariesOf({ libraries, os }: ServerRow): string {
  const told = TELLING.filter((name) => libraries[name] !== undefined).slice(0, 2);
  const all = [...told.map((name) => `${name} ${libraries[name]}`), ...(os === null ? [] : [os])];
  return all.join(', ') || 'unknown';
}

const DRIFT = {
  'tag-moved': 'tag moved',
  'differs-from-applied': 'not as applied',
  'contract-missing': 'no contract',
  mixed: 'mixed images',
  'not-inlay': "not inlay's",
} as const;

function driftOf({ drift, unknown }: ServerRow): string {
  const all = [...drift.map(({ kind }) => DRIFT[kind]), ...(unknown.image === undefined ? [] : ['image unknown'])];
  return all.join(', ') || '-';
}

/** Fields of the CSV: one value a cell, lists with blanks between. */
export const CSV: readonly (readonly [string, (row: ServerRow) => string | number | boolean | null])[] = [
  ['context', (row) => row.context],
  ['namespace', (row) => row.namespace],
  ['service', (row) => row.service],
  ['role', (row) => row.role],
  ['kind', (row) => row.workload.kind],
  ['workload', (row) => row.workload.name],
  ['ready', (row) => row.replicas.ready],
  ['desired', (row) => row.replicas.desired],
  ['restarts', (row) => row.restarts],
  ['model', (row) => row.model?.name ?? null],
  ['version', (row) => row.model?.version ?? null],
  ['model_digest', (row) => row.model?.digest ?? null],
  ['task', (row) => row.task],
  ['inputs', (row) => row.inputs?.map(tensor).join('; ') ?? null],
  ['outputs', (row) => row.outputs?.map(tensor).join('; ') ?? null],
  ['os', (row) => row.os],
  [
    'libraries',
    (row) =>
      Object.entries(row.libraries)
        .map(([name, version]) => `${name}=${version}`)
        .join(' '),
  ],
  ['inlay', (row) => row.inlay],
  ['owner', (row) => row.owner],
  ['image', (row) => row.image.reference],
  ['image_digest', (row) => row.image.digest],
  ['commit', (row) => row.source?.commit ?? null],
  ['training_run', (row) => row.trainingRun],
  ['signed', (row) => row.signed],
  ['first_seen', (row) => row.firstSeen],
  ['rolled_out', (row) => row.rolledOut],
  ['since', (row) => row.since],
  ['drift', (row) => row.drift.map(({ kind }) => kind).join(' ')],
];
