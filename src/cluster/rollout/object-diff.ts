/** A field that differs; `from` or `to` undefined where there is none. Values as JSON. */
export interface FieldChange {
  readonly path: string;
  readonly from?: string;
  readonly to?: string;
}

/** Fields that the API server changes by itself. */
const SERVERS = new Set([
  'metadata.managedFields',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.uid',
  'metadata.creationTimestamp',
  'status',
]);

/** What differs between two objects, field by field; lists of named items are compared by name. */
export function objectDiff(from: unknown, to: unknown, path = ''): FieldChange[] {
  if (SERVERS.has(path) || Object.is(from, to)) return [];
  const keys = keyed(from) ?? keyed(to);
  if (
    keys === undefined ||
    (from !== undefined && keyed(from) === undefined) ||
    (to !== undefined && keyed(to) === undefined)
  ) {
    const [a, b] = [JSON.stringify(from), JSON.stringify(to)];
    return a === b ? [] : [{ path, ...(a === undefined ? {} : { from: a }), ...(b === undefined ? {} : { to: b }) }];
  }
  const [a, b] = [keyed(from) ?? new Map(), keyed(to) ?? new Map()];
  // What is new or gone as a whole is told as a whole.
  if (path !== '' && (from === undefined || to === undefined)) {
    return [
      {
        path,
        ...(from === undefined ? {} : { from: JSON.stringify(from) }),
        ...(to === undefined ? {} : { to: JSON.stringify(to) }),
      },
    ];
  }
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((key) =>
    objectDiff(a.get(key), b.get(key), key.startsWith('[') ? `${path}${key}` : path === '' ? key : `${path}.${key}`),
  );
}

/** The parts of an object or list by their names; undefined for what has none. */
function keyed(value: unknown): Map<string, unknown> | undefined {
  if (Array.isArray(value)) return new Map(value.map((item, i) => [`[${nameOf(item) ?? i}]`, item]));
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || !('name' in item)) return undefined;
  return typeof item.name === 'string' ? item.name : undefined;
}
