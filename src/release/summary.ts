import type { NextVersion } from './next-version.ts';
import type { StepReport } from './step.ts';

export interface ImageNote {
  readonly reference: string;
  readonly digest: string;
  readonly version: string;
}

/** What a model was made from. */
export interface Origins {
  readonly model: { readonly file: string; readonly digest: string };
  /** Where it was fetched from. */
  readonly source?: Readonly<Record<string, string>>;
  readonly training?: { readonly command: string; readonly tookMs?: number; readonly log?: string };
  readonly git?: { readonly commit: string; readonly dirty: boolean; readonly remote?: string };
  readonly metrics?: Readonly<Record<string, number>>;
}

/** One line of a verdict: what was measured of stable and canary, in words. */
export interface VerdictLine {
  readonly metric: string;
  readonly outcome: string;
  readonly text: string;
}

export interface RolloutStep {
  readonly name: string;
  readonly status: string;
  readonly tookMs?: number;
}

/** What one release did, from what, against what: the document of `release --json`. */
export interface ReleaseSummary {
  readonly schemaVersion: 1;
  readonly service: string;
  readonly namespace?: string;
  readonly environment?: string;
  /** `stopped`: as `--until` asked. `planned`: a dry run. */
  readonly outcome: 'released' | 'unchanged' | 'stopped' | 'planned' | 'paused' | 'failed';
  readonly image?: ImageNote;
  readonly from?: Origins;
  /** Stable, as it was before; absent where the service is new or was not asked. */
  readonly against?: ImageNote;
  /** How `version: auto` was decided. */
  readonly next?: NextVersion;
  /** Bytes that the push sent. */
  readonly sentBytes?: number;
  readonly verdict?: { readonly outcome: string; readonly reasons: readonly VerdictLine[] };
  readonly steps: readonly StepReport[];
  /** The steps of the release in the cluster. */
  readonly rollout?: readonly RolloutStep[];
  readonly undo?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** What became of it, of what its steps tell. */
export function outcomeOf(
  steps: readonly StepReport[],
  facts: { readonly dryRun: boolean; readonly errorCode: string | undefined; readonly unchanged: boolean },
): ReleaseSummary['outcome'] {
  if (facts.errorCode === 'RELEASE_PAUSED') return 'paused';
  if (facts.errorCode !== undefined) return 'failed';
  if (facts.dryRun) return 'planned';
  const deployed = steps.find(({ name }) => name === 'deploy');
  if (deployed === undefined || deployed.status === 'not reached') return 'stopped';
  return facts.unchanged ? 'unchanged' : 'released';
}

/** How to take it back, as a command. */
export function undoOf(
  summary: Pick<ReleaseSummary, 'outcome' | 'service' | 'namespace' | 'against'>,
): string | undefined {
  const { outcome, service, namespace, against } = summary;
  const where = namespace === undefined ? '' : ` -n ${namespace}`;
  if (outcome === 'paused') return `inlay abort ${service}${where}`;
  if (outcome === 'released' && against) return `inlay rollback ${service}${where}`;
  return undefined;
}
