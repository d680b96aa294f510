import type { RoleWindow } from './role-window.ts';

/** The canary's share of the requests that both roles had, 0 to 1; undefined where there were none. */
export function achievedShare(roles: {
  readonly stable: Pick<RoleWindow, 'requests'>;
  readonly canary: Pick<RoleWindow, 'requests'>;
}): number | undefined {
  const all = roles.stable.requests + roles.canary.requests;
  return all > 0 ? roles.canary.requests / all : undefined;
}
