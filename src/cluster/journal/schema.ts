import { z } from 'zod';
import { DATATYPES, environmentSchema, TASKS } from '../../contract/index.ts';
import { roleWindowSchema } from '../verdict/index.ts';

const tensors = z.array(
  z.object({
    name: z.string(),
    datatype: z.enum(Object.keys(DATATYPES) as [keyof typeof DATATYPES]),
    shape: z.array(z.int()),
    missing: z.literal('nan').optional(),
  }),
);

const imageSchema = z.object({
  reference: z.string(),
  digest: z.string(),
  platforms: z.array(z.string()).readonly(),
  contract: z.object({
    name: z.string(),
    version: z.string(),
    task: z.enum(TASKS),
    model: z.object({
      digest: z.string(),
      sizeBytes: z.number(),
      externalData: z.array(z.object({ file: z.string(), digest: z.string(), sizeBytes: z.number() })).exactOptional(),
    }),
    inputs: tensors,
    outputs: tensors,
    prediction: z.string(),
    labels: z.object({ file: z.string().optional(), keys: z.array(z.string()), names: z.array(z.string()) }).optional(),
    metrics: z.record(z.string(), z.number()).optional(),
    server: z.object({ cpu: z.string(), memory: z.string() }),
    owner: z.string().optional(),
  }),
});

const verdictSchema = z.object({
  outcome: z.enum(['pass', 'fail', 'inconclusive']),
  reasons: z.array(
    z.object({
      metric: z.string(),
      outcome: z.string(),
      stable: z.number().nullable(),
      canary: z.number().nullable(),
      limit: z.number().nullable(),
      sample: z.object({ stable: z.number(), canary: z.number() }),
      note: z.string().optional(),
    }),
  ),
});

const time = z.iso.datetime();

/** What a step does; `name` is for people. */
const KINDS = ['stable', 'canary', 'promote', 'retire', 'bake', 'remove-canary', 'restore'] as const;
export type StepKind = (typeof KINDS)[number];

const stepSchema = z.object({
  name: z.string(),
  kind: z.enum(KINDS),
  /** `paused`: its verdict decided nothing; it is judged anew, or left out, when somebody goes on. */
  status: z.enum(['pending', 'running', 'paused', 'done', 'failed', 'skipped']),
  startedAt: time.optional(),
  tookMs: z.number().optional(),
  /** Percent of requests that a canary step asks for; what so many pods get; what was counted. */
  weight: z
    .object({
      asked: z.number(),
      replicas: z.number().optional(),
      expected: z.number().optional(),
      achieved: z.number().optional(),
    })
    .optional(),
  verdict: verdictSchema.optional(),
  detail: z.string().optional(),
});

const releaseSchema = z.object({
  /** Counts from 1 for each service. */
  number: z.int(),
  kind: z.enum(['release', 'rollback']),
  image: imageSchema,
  /** What inlay.yaml said about running it. */
  deploy: environmentSchema,
  environment: z.string().optional(),
  /** The image that was stable before; none for a first release. */
  before: z.object({ reference: z.string(), digest: z.string(), version: z.string() }).optional(),
  actor: z.string(),
  startedAt: time,
  /** While it goes on: `running`, or `paused` for somebody to decide. */
  state: z.enum(['running', 'paused', 'backing-out', 'ended']),
  steps: z.array(stepSchema),
  /** When it became stable, and when another took its place. */
  stableFrom: time.optional(),
  stableTo: time.optional(),
  endedAt: time.optional(),
  outcome: z.enum(['released', 'backed-out', 'aborted', 'failed']).optional(),
  /** Why it was backed out, aborted or paused; who promoted it, and why. */
  reason: z.string().optional(),
  /** What the old stable did in the last step, to compare the new one with. */
  reference: roleWindowSchema.optional(),
});

/** The durable record of a service's releases: `data["journal.json"]` of the ConfigMap `inlay-SERVICE`. */
export const journalSchema = z.object({
  schemaVersion: z.literal(1),
  service: z.string(),
  /** Oldest first; the last may go on. */
  releases: z.array(releaseSchema),
});

export type StepVerdict = z.infer<typeof verdictSchema>;
export type Step = Readonly<z.infer<typeof stepSchema>>;
export type Release = Readonly<z.infer<typeof releaseSchema>>;
export type Journal = Readonly<z.infer<typeof journalSchema>>;

/** Somebody's wish to whoever works on the service: an annotation of the journal. */
export const requestSchema = z.object({
  kind: z.enum(['promote', 'abort']),
  by: z.string(),
  reason: z.string().optional(),
  /** The release that it is about. */
  release: z.int(),
});
export type Request = Readonly<z.infer<typeof requestSchema>>;
