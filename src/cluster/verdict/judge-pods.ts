import { percent } from './numbers.ts';
import type { RoleWindow } from './role-window.ts';
import type { Evidence, Reason } from './verdict.ts';

/** A container of the canary that ended in the window, whatever for: it was running, and it does not any more. */
export function judgeRestarts({ stable, canary }: Evidence): Reason {
  const base = {
    metric: 'restarts',
    stable: stable.restarts.length,
    canary: canary.restarts.length,
    limit: 0,
    sample: { stable: stable.pods, canary: canary.pods },
  } as const;
  if (canary.restarts.length === 0) return { ...base, outcome: 'pass' };
  return { ...base, outcome: 'fail', note: [...new Set(canary.restarts.map(restart))].slice(0, 3).join('; ') };
}

function restart({ pod, reason, exitCode }: RoleWindow['restarts'][number]): string {
  const why = [reason, exitCode === undefined ? undefined : `exit code ${exitCode}`].filter(
    (part) => part !== undefined,
  );
  return `${pod}: ${why.length === 0 ? 'restarted' : why.join(', ')}`;
}

/** What a pod holds, as a share of its container's limit: beyond `limits.memory` it is about to be killed. */
export function judgeMemory({ stable, canary, limits }: Evidence): Reason {
  const most = (window: RoleWindow) =>
    window.memory.reduce<RoleWindow['memory'][number] | undefined>(
      (one, other) => (one && one.bytes >= other.bytes ? one : other),
      undefined,
    );
  const part = (window: RoleWindow) => {
    const pod = most(window);
    return pod && window.memoryLimitBytes ? pod.bytes / window.memoryLimitBytes : null;
  };
  const base = {
    metric: 'memory',
    stable: part(stable),
    canary: part(canary),
    limit: limits.memory,
    sample: { stable: stable.memory.length, canary: canary.memory.length },
  } as const;
  if (base.canary === null) {
    const note = canary.memoryLimitBytes === null ? 'no memory limit' : 'its pages have no inlay_memory_held_bytes';
    return { ...base, outcome: 'not-judged', note };
  }
  if (base.canary <= limits.memory) return { ...base, outcome: 'pass' };
  return { ...base, outcome: 'fail', note: `${most(canary)?.pod} holds ${percent(base.canary)} of its limit` };
}

/**
 * Pods whose page could not be read: undefined where all could. A canary's pod that tells nothing may be the one that fails;
 * stable's pods are a sample of each other, so the verdict stands while most of them are read.
 */
export function judgeUnreadable({ stable, canary }: Evidence): Reason | undefined {
  const unreadable = [...canary.unreadable, ...stable.unreadable];
  if (unreadable.length === 0) return undefined;
  const matters = canary.unreadable.length > 0 || stable.unreadable.length * 2 > stable.pods;
  return {
    metric: 'metrics',
    outcome: matters ? 'inconclusive' : 'pass',
    stable: stable.unreadable.length,
    canary: canary.unreadable.length,
    limit: 0,
    sample: { stable: stable.pods, canary: canary.pods },
    note: unreadable
      .slice(0, 3)
      .map(({ pod, why }) => `${pod} cannot be read: ${why}`)
      .join('; '),
  };
}
