import { relative } from 'node:path';
import type { ServiceStatus } from '../../cluster/index.ts';
import { isInlayError } from '../../error/index.ts';
import type { Origins, ReleaseSummary, StepReport } from '../../release/index.ts';
import { sourceOf } from '../build-project.ts';
import { toldOfFiles } from '../file-error.ts';
import { projectOf } from './facts.ts';
import type { Parts } from './steps.ts';

/** The summary of what the steps did and found. */
export async function summarize(
  ran: Parts & { readonly steps: readonly StepReport[]; readonly error: unknown; readonly dryRun: boolean },
): Promise<ReleaseSummary> {
  const { outcomeOf, undoOf } = await import('../../release/index.ts');
  const { asked, facts, flags, steps, dryRun } = ran;
  const error = toldOfFiles(ran.error);
  const { built, against, namespace, status } = facts;
  const errorCode = error === undefined ? undefined : isInlayError(error) ? error.code : 'INTERNAL';
  const outcome = outcomeOf(steps, { dryRun, errorCode, unchanged: facts.unchanged === true });
  const service = asked.config.name;
  const undo = undoOf({ outcome, service, ...(namespace ? { namespace } : {}), ...(against ? { against } : {}) });
  const from = await originsOf(ran);
  return {
    schemaVersion: 1,
    service,
    ...(namespace ? { namespace } : {}),
    ...(flags.env ? { environment: flags.env } : {}),
    outcome,
    ...(built
      ? {
          image: {
            reference: built.image.reference,
            digest: built.image.digest,
            version: built.project.config.version,
          },
        }
      : {}),
    ...(from ? { from } : {}),
    ...(against ? { against } : {}),
    ...(facts.next ? { next: facts.next } : {}),
    ...(facts.sentBytes === undefined ? {} : { sentBytes: facts.sentBytes }),
    ...(status ? await standOf(status, outcome) : {}),
    steps,
    ...(undo ? { undo } : {}),
    ...(errorCode === undefined
      ? {}
      : {
          error: {
            code: errorCode,
            message: error instanceof Error ? error.message : String(error),
            ...(isInlayError(error) && error.hint ? { hint: error.hint } : {}),
          },
        }),
  };
}

async function originsOf({ asked, facts }: Parts): Promise<Origins | undefined> {
  const { readGit } = await import('../../supply/index.ts');
  const project = projectOf(facts);
  if (!project) return undefined;
  const git = await readGit(asked.dir, process.env);
  const { trained } = facts;
  const source = await sourceOf(project);
  const metrics = project.contract.metrics;
  return {
    model: { file: relative(project.dir, project.modelPath), digest: project.contract.model.digest },
    ...(trained
      ? {
          training: {
            command: trained.command,
            ...(trained.tookMs === undefined ? {} : { tookMs: trained.tookMs }),
            ...(trained.log === undefined ? {} : { log: trained.log }),
          },
        }
      : {}),
    ...(source ? { source: { uri: source.uri, ...source.identity } } : {}),
    ...(git ? { git } : {}),
    ...(metrics ? { metrics } : {}),
  };
}

/** What the cluster says, as `inlay status --json` has it; the steps there are `rollout`, as `steps` are those of the whole way. */
async function standOf(status: ServiceStatus, outcome: ReleaseSummary['outcome']) {
  const { describeReason } = await import('../../cluster/index.ts');
  const { phase, stable, canary, verdict, steps } = status;
  if (outcome === 'unchanged') return { phase, ...(stable ? { stable } : {}) };
  return {
    phase,
    ...(stable ? { stable } : {}),
    ...(canary ? { canary } : {}),
    ...(verdict
      ? {
          verdict: {
            outcome: verdict.outcome,
            reasons: verdict.reasons.map((reason) => ({ ...reason, text: describeReason(reason as never) })),
          },
        }
      : {}),
    rollout: steps.map(({ name, status: state, tookMs }) => ({
      name,
      status: state,
      ...(tookMs === undefined ? {} : { tookMs }),
    })),
  };
}
