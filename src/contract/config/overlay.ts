/** `own` laid over `base`: objects key by key, all else (lists too) replaced. Neither is changed. */
export function overlay<T extends object>(base: T, own: T): T {
  const merged = new Map<string, unknown>(Object.entries(base));
  for (const [key, value] of Object.entries(own)) {
    const before = merged.get(key);
    if (value !== undefined) merged.set(key, isObject(before) && isObject(value) ? overlay(before, value) : value);
  }
  return Object.fromEntries(merged) as T;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
