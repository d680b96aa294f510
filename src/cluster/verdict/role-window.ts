import { z } from 'zod';

const count = z.number().min(0);
const counts = z.record(z.string(), count);

const restartSchema = z.object({
  pod: z.string(),
  /** `OOMKilled`, `Error`, …: the terminated container's reason. */
  reason: z.string().optional(),
  exitCode: z.number().optional(),
});

/** What the journal keeps of a role's window; a stranger's window is read with it. */
export const roleWindowSchema = z
  .object({
    schemaVersion: z.literal(1),
    /** Pods that were seen in the window, those that came or went included. */
    pods: count,
    seconds: count,
    /** On routes that ask the model, all of them. */
    requests: count,
    /** 5xx, and gRPC's statuses that are the server's fault. */
    failed: count,
    /** Clients that did not wait for their answer: 499, CANCELLED. */
    gone: count,
    /** 4xx by route. */
    refused: counts,
    /** inlay_answer_duration_seconds: upper bounds in seconds, rising; counts, not added up, one more than bounds. */
    latency: z
      .object({ bounds: z.array(z.number().positive()), counts: z.array(count) })
      .refine(({ bounds, counts }) => counts.length === bounds.length + 1, 'one count more than bounds'),
    /** Requests that the model answered with NaN or infinity. */
    nonFinite: count,
    /** Rows by their most likely label. */
    labels: counts,
    /** How far its pods are from each other, beyond noise: total variation of labels, share of refused requests. */
    spread: z.object({ labelShift: count, refused: count }).optional(),
    /** Requests that were not run, by reason. */
    rejected: counts,
    /** The most that each pod held: `inlay_memory_held_bytes`, else `process_resident_memory_bytes`. */
    memory: z.array(z.object({ pod: z.string(), bytes: count })),
    memoryLimitBytes: count.nullable(),
    restarts: z.array(restartSchema),
    /** Pods whose page could not be read at the start or the end. */
    unreadable: z.array(z.object({ pod: z.string(), why: z.string() })),
  })
  .readonly();

/** What the pods of a role did in a while: plain numbers, JSON-safe. */
export type RoleWindow = z.infer<typeof roleWindowSchema>;

/** A container that ended and was started again. */
export type Restart = z.infer<typeof restartSchema>;
