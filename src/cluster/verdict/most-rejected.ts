import { share } from './compare.ts';
import { percent } from './numbers.ts';
import type { RoleWindow } from './role-window.ts';

/**
 * The reason of inlay_rejected_total whose share of requests differs most between the two, with both shares.
 * @param among undefined: all of them
 */
export function mostRejected(canary: RoleWindow, stable: RoleWindow, among?: readonly string[]): string | undefined {
  const [most] = [...new Set([...Object.keys(canary.rejected), ...Object.keys(stable.rejected)])]
    .filter((name) => among === undefined || among.includes(name))
    .map((name) => ({ name, canary: part(canary, name), stable: part(stable, name) }))
    .sort((one, other) => Math.abs(other.canary - other.stable) - Math.abs(one.canary - one.stable));
  return most && `${most.name} (${percent(most.canary)} / ${percent(most.stable)})`;
}

function part(window: RoleWindow, name: string): number {
  return share({ k: new Map(Object.entries(window.rejected)).get(name) ?? 0, n: window.requests });
}
