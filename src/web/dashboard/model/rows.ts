import type { BriefRow, ServersEvent } from './wire.ts';

/** A row with what it is found by. */
export interface ListedRow extends BriefRow {
  readonly words: string;
}

export function listed(row: BriefRow): ListedRow {
  const { service, context, namespace, workload, model, version, owner, role, reference, index, drift, library } = row;
  const kinds = drift.map(({ kind }) => kind).join(' ');
  const words = [service, context, namespace, workload, model, version, owner, role, reference, index, kinds, library];
  return { ...row, words: words.join(' ').toLowerCase() };
}

/** The rows after a change. */
export function changedRows(rows: ReadonlyMap<string, ListedRow>, { changed, removed }: ServersEvent) {
  const next = new Map(rows);
  for (const id of removed) next.delete(id);
  for (const row of changed) next.set(row.id, listed(row));
  return next;
}

/** What a list is narrowed to; what is empty is not asked. */
export interface Filter {
  readonly q?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly owner?: string | undefined;
  readonly role?: string | undefined;
  /** `drift`, `degraded`, `unsigned`, `canary`, `unowned`, or a kind of drift. */
  readonly state?: string | undefined;
}

const STATES: Readonly<Record<string, (row: BriefRow) => boolean>> = {
  degraded: ({ ready, desired }) => ready < desired,
  drift: ({ drift }) => drift.length > 0,
  unsigned: ({ signed }) => signed === false,
  unowned: ({ owner }) => owner === null,
  waiting: ({ release, role }) => role === 'canary' && release?.state === 'paused',
};

export function filtered(rows: readonly ListedRow[], filter: Filter): readonly ListedRow[] {
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const { context, namespace, owner, role, state } = filter;
  const inState = state
    ? (STATES[state] ?? ((row: BriefRow) => row.drift.some(({ kind }) => kind === state)))
    : undefined;
  return rows.filter(
    (row) =>
      (!context || row.context === context) &&
      (!namespace || row.namespace === namespace) &&
      (!owner || row.owner === owner) &&
      (!role || (row.role ?? 'none') === role) &&
      (!inState || inState(row)) &&
      words.every((word) => row.words.includes(word)),
  );
}

/** How many rows are in each state that wants somebody. */
export function stateCounts(rows: readonly BriefRow[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name, fits] of Object.entries(STATES)) {
    let count = 0;
    for (const row of rows) if (fits(row)) count++;
    counts[name] = count;
  }
  return counts;
}

/** Values of a field with how often they come, in the order of the alphabet. */
export function valuesOf(rows: readonly BriefRow[], field: 'context' | 'namespace' | 'owner') {
  const counts = new Map<string, number>();
  for (const { [field]: value } of rows) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => natural(a.value, b.value));
}

export const SORTS = [
  'service',
  'context',
  'namespace',
  'role',
  'model',
  'version',
  'ready',
  'restarts',
  'age',
  'drift',
  'owner',
] as const;
export type Sort = (typeof SORTS)[number];
export interface Order {
  readonly by: Sort;
  readonly descending: boolean;
}

/** `version` or `-version`; by service where it is neither. */
export function orderOf(text: string | undefined): Order {
  const descending = text?.startsWith('-') === true;
  const by = SORTS.find((one) => one === text?.replace(/^-/, '')) ?? 'service';
  return { by, descending };
}

export function orderText({ by, descending }: Order): string | undefined {
  return by === 'service' && !descending ? undefined : `${descending ? '-' : ''}${by}`;
}

/** Numbers in names count as numbers: svc-9 before svc-10. */
const natural = new Intl.Collator('en', { numeric: true }).compare;

const KEYS: Readonly<Record<Sort, (row: BriefRow) => string | number>> = {
  service: ({ service }) => service,
  context: ({ context }) => context,
  namespace: ({ namespace }) => namespace,
  role: ({ role }) => role ?? '~',
  model: ({ model }) => model ?? '~',
  version: ({ version }) => version ?? '~',
  ready: ({ ready, desired }) => (desired === 0 ? 1 : ready / desired),
  restarts: ({ restarts }) => restarts,
  // The youngest first, as ages go up.
  age: ({ since }) => (since === null ? Number.POSITIVE_INFINITY : -Date.parse(since)),
  drift: ({ drift }) => drift.length,
  owner: ({ owner }) => owner ?? '~',
};

/** In the order; what is equal by it is ordered by its place. Keys are made once a row. */
export function ordered(rows: Iterable<ListedRow>, { by, descending }: Order): readonly ListedRow[] {
  const keyOf = KEYS[by];
  const way = descending ? -1 : 1;
  const keyed = Array.from(rows, (row) => ({ row, key: keyOf(row), rank: 0 }));
  const ranks = ranksOf(keyed.map(({ key }) => key));
  const places = ranksOf(keyed.map(({ row }) => row.service));
  const at = keyed.map(({ row, key }) => ({
    row,
    key: typeof key === 'number' ? key : (ranks.get(key) ?? 0),
    place: places.get(row.service) ?? 0,
  }));
  at.sort((a, b) => way * (a.key - b.key || 0) || a.place - b.place || (a.row.id < b.row.id ? -1 : 1));
  return at.map(({ row }) => row);
}

/** Where each text stands in the order of the alphabet: a collator is slow, so each text is compared once. */
function ranksOf(keys: readonly (string | number)[]): ReadonlyMap<string | number, number> {
  const texts = [...new Set(keys)].filter((key) => typeof key === 'string');
  return new Map(texts.sort(natural).map((text, i) => [text, i]));
}
