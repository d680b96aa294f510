import { z } from 'zod';
import { InlayError } from '../error/index.ts';

/** An in-toto resource descriptor (in-toto attestation framework, spec/v1/resource_descriptor.md), as far as it is used here. */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  /** Algorithm to digest, in hex: `{sha256: "…"}`. */
  readonly digest?: Readonly<Record<string, string>>;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

const descriptor = z.looseObject({
  name: z.string().optional(),
  uri: z.string().optional(),
  digest: z.record(z.string(), z.string()).optional(),
});
const schema = z.object({
  _type: z.enum(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
  subject: z.array(descriptor).min(1),
  predicateType: z.string(),
  predicate: z.unknown(),
});

/** An in-toto statement: of `subject` is said `predicate`. */
export type Statement = z.infer<typeof schema>;

/** The bytes of a statement, in a fixed order. */
export function serializeStatement(
  subject: readonly ResourceDescriptor[],
  predicateType: string,
  predicate: unknown,
): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate }),
  );
}

/** @throws SIGNATURE_INVALID when the bytes are no statement */
export function parseStatement(bytes: Uint8Array): Statement {
  try {
    return schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new InlayError('SIGNATURE_INVALID', 'what is signed is not an in-toto statement', { cause });
  }
}

/** Whether a statement is about the manifest with this digest. */
export function isAbout(statement: Statement, digest: string): boolean {
  return statement.subject.some((one) => `sha256:${one.digest?.sha256}` === digest);
}

/** `sha256:…` as in-toto writes it. */
export function digestSet(digest: string): Record<string, string> {
  const [algorithm = '', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
}
