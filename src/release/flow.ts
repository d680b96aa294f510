import type { StepName, StepOutcome, StepReport } from './step.ts';

export interface FlowStep {
  readonly name: StepName;
  readonly run: () => Promise<StepOutcome>;
}

export interface FlowOptions {
  readonly steps: readonly FlowStep[];
  /** The last step that is taken. */
  readonly until?: StepName | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onBegin?: (name: StepName) => void;
  readonly onEnd?: (report: StepReport) => void;
}

export interface FlowResult {
  readonly steps: readonly StepReport[];
  /** What the step that failed threw; no step after it was taken. */
  readonly error: unknown;
}

/** Takes the steps one after the other, up to the first that fails. Never throws: what did happen is in the result. */
export async function runFlow({ steps, until, now, onBegin, onEnd }: FlowOptions): Promise<FlowResult> {
  const reports: StepReport[] = [];
  let over = false;
  let error: unknown;
  for (const { name, run } of steps) {
    if (over) {
      reports.push({ name, status: 'not reached' });
      continue;
    }
    const startedMs = now();
    const times = () => ({
      startedAt: new Date(startedMs).toISOString(),
      tookMs: Math.max(0, Math.round(now() - startedMs)),
    });
    onBegin?.(name);
    try {
      const { status, detail } = await run();
      reports.push({ name, status, ...times(), detail });
    } catch (thrown) {
      error = thrown;
      const detail = thrown instanceof Error ? thrown.message : String(thrown);
      reports.push({ name, status: 'failed', ...times(), detail });
    }
    over = error !== undefined || name === until;
    onEnd?.(reports.at(-1) as StepReport);
  }
  return { steps: reports, error };
}
