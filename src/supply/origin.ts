import { z } from 'zod';
import { IN_TOTO, SLSA_PREDICATE } from './media-types.ts';
import { parseStatement, type Statement } from './statement.ts';

/** Where a model comes from, as the image's provenance says. */
export interface Origin {
  /** The sources that it was built from: repository where it is known, commit, and whether files had been changed. */
  readonly source?: { readonly repository?: string; readonly commit: string; readonly dirty: boolean };
  /** MLflow's id of the run that trained it. */
  readonly trainingRun?: string;
}

const predicateSchema = z.object({
  buildDefinition: z.object({
    resolvedDependencies: z
      .array(
        z.object({
          name: z.string().optional(),
          uri: z.string().optional(),
          digest: z.record(z.string(), z.string()).optional(),
          annotations: z.record(z.string(), z.unknown()).optional(),
        }),
      )
      .default([]),
  }),
});
const envelopeSchema = z.object({ dsseEnvelope: z.object({ payload: z.base64(), payloadType: z.literal(IN_TOTO) }) });

/**
 * Reads back what provenance says of the source, signed or not; nothing is verified. `undefined` for any other document.
 * @param bytes an in-toto statement, or a Sigstore bundle that holds one
 */
export function originOf(bytes: Uint8Array): Origin | undefined {
  const statement = statementOf(bytes);
  if (statement?.predicateType !== SLSA_PREDICATE) return undefined;
  const parts = predicateSchema.safeParse(statement.predicate).data?.buildDefinition.resolvedDependencies ?? [];
  const source = parts.find(({ name, digest }) => name === 'source' && digest?.gitCommit !== undefined);
  const commit = source?.digest?.gitCommit;
  const run = parts.find(({ name }) => name === 'mlflow-run')?.uri?.replace(/^urn:mlflow:run:/, '');
  return {
    ...(commit === undefined
      ? {}
      : {
          source: {
            ...(source?.uri === undefined ? {} : { repository: source.uri }),
            commit,
            dirty: source?.annotations?.dirty === true,
          },
        }),
    ...(run === undefined ? {} : { trainingRun: decoded(run) }),
  };
}

function statementOf(bytes: Uint8Array): Statement | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const envelope = envelopeSchema.safeParse(json).data;
    return parseStatement(envelope ? Buffer.from(envelope.dsseEnvelope.payload, 'base64') : bytes);
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
