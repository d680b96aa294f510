import { parseLibraryQuery } from '../question/library-query.ts';
import { parseAge, type Question } from '../question/question.ts';
import { compareVersions } from '../question/version-order.ts';
import type { DriftKind, ServerRow } from '../row.ts';

const MOST = 1000;
/** Of brief rows, a tenth of the size. */
const MOST_BRIEF = 100_000;

export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** @throws USAGE */
export function questionOf(params: URLSearchParams): Question {
  const text = (name: string) => params.get(name) || undefined;
  const flag = (name: string) => params.get(name) === 'true' || params.get(name) === '' || params.get(name) === '1';
  const library = text('library');
  const olderThan = text('olderThan');
  return {
    context: text('context'),
    namespace: text('namespace'),
    service: text('service'),
    role: text('role'),
    model: text('model'),
    library: library === undefined ? undefined : parseLibraryQuery(library),
    digest: text('digest'),
    owner: text('owner'),
    unowned: params.has('unowned') && flag('unowned'),
    unsigned: params.has('unsigned') && flag('unsigned'),
    before: olderThan === undefined ? undefined : Date.now() - parseAge(olderThan),
    drift: text('drift') as DriftKind | 'any' | undefined,
    text: text('q'),
  };
}

export function isBrief(params: URLSearchParams): boolean {
  return params.get('brief') === 'true';
}

export function pageOf(params: URLSearchParams): Page {
  const number = (name: string, otherwise: number) => {
    const value = Number(params.get(name) ?? otherwise);
    return Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
  };
  return { limit: Math.min(number('limit', 100), isBrief(params) ? MOST_BRIEF : MOST), offset: number('offset', 0) };
}

type Order = (a: ServerRow, b: ServerRow) => number;
const by =
  (key: (row: ServerRow) => string): Order =>
  (a, b) => {
    const [one, two] = [key(a), key(b)];
    return one < two ? -1 : one > two ? 1 : 0;
  };

const ORDERS: Readonly<Record<string, Order>> = {
  service: by((row) => `${row.service}\0${row.namespace}\0${row.context}\0${row.role ?? ''}`),
  namespace: by((row) => `${row.namespace}\0${row.service}\0${row.context}`),
  context: by((row) => `${row.context}\0${row.namespace}\0${row.service}`),
  owner: by((row) => row.owner ?? '~'),
  since: by((row) => row.since ?? '~'),
  version: (a, b) => compareVersions(a.model?.version ?? '', b.model?.version ?? ''),
  ready: (a, b) => a.replicas.ready - b.replicas.ready,
  restarts: (a, b) => a.restarts - b.restarts,
};

/** Sorted as asked; by service where nothing is. */
export function sorted<T extends ServerRow>(rows: readonly T[], params: URLSearchParams): T[] {
  const order = ORDERS[params.get('sort') ?? 'service'] ?? (ORDERS.service as Order);
  const way = params.get('order') === 'desc' ? -1 : 1;
  return rows.toSorted((a, b) => way * order(a, b));
}

export function paged<T>(all: readonly T[], { limit, offset }: Page) {
  return { total: all.length, offset, page: all.slice(offset, offset + limit) };
}

/** How often each value of the fields that lists filter by comes. */
export function facetsOf(rows: readonly ServerRow[]) {
  const count = (values: (row: ServerRow) => readonly string[]) => {
    const counts = new Map<string, number>();
    for (const row of rows) for (const value of values(row)) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts]
      .sort(([a, one], [b, two]) => two - one || (a < b ? -1 : 1))
      .slice(0, MOST)
      .map(([value, times]) => ({ value, count: times }));
  };
  return {
    contexts: count((row) => [row.context]),
    namespaces: count((row) => [row.namespace]),
    models: count((row) => (row.model ? [row.model.name] : [])),
    owners: count((row) => (row.owner === null ? [] : [row.owner])),
    roles: count((row) => [row.role ?? 'none']),
    drift: count((row) => row.drift.map(({ kind }) => kind)),
    libraries: count((row) => Object.keys(row.libraries)),
  };
}
