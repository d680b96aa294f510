import { z } from 'zod';
import { type ErrorCode, InlayError } from '../error/index.ts';

/** Where something went wrong; every error of this room names all three. */
export interface Where {
  /** The registry, as the reference names it. */
  readonly host: string;
  readonly repository: string;
  /** What was being done: `uploading sha256:12ab…`. */
  readonly step: string;
}

export interface FailureDetails {
  readonly hint: string;
  readonly cause?: unknown;
}

/** An error in inlay's one form: what was being done, where, what happened, and what to do. */
export function failure(code: ErrorCode, where: Where, what: string, details: FailureDetails): InlayError {
  return new InlayError(code, `${where.step} failed at ${where.host}/${where.repository}: ${what}`, details);
}

export interface RegistryAnswer {
  readonly status: number;
  /** Error codes of the distribution specification: MANIFEST_BLOB_UNKNOWN, DIGEST_INVALID and others. */
  readonly codes: readonly string[];
  /** What the registry says, on one line; empty where it says nothing readable. */
  readonly text: string;
}

const errorsSchema = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })).min(1),
});

const TEXT_LENGTH = 300;

/** Reads an error answer's body (distribution-spec, "Error Codes"); pages of proxies are cut down to a line. */
export function parseAnswer(status: number, body: string): RegistryAnswer {
  let parsed: z.infer<typeof errorsSchema> | undefined;
  try {
    parsed = errorsSchema.safeParse(JSON.parse(body)).data;
  } catch {
    // Not JSON: a proxy's page, or nothing.
  }
  const text = parsed
    ? parsed.errors.map((e) => [e.code, e.message].filter(Boolean).join(': ')).join('; ')
    : body.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ');
  return {
    status,
    codes: parsed?.errors.map((e) => e.code) ?? [],
    text: text.replace(/\s+/g, ' ').trim().slice(0, TEXT_LENGTH),
  };
}

/** The error for an answer that no retry will change. */
export function answerError(where: Where, answer: RegistryAnswer, tries = 1): InlayError {
  const said = `the registry answered ${answer.status}${answer.text === '' ? '' : ` (${answer.text})`}${
    tries > 1 ? ` after ${tries} tries` : ''
  }`;
  const { status } = answer;
  if (status === 401)
    return failure('REGISTRY_UNAUTHORIZED', where, said, {
      hint: `Log in with docker login ${where.host} or podman login ${where.host}, or set INLAY_REGISTRY_USERNAME and INLAY_REGISTRY_PASSWORD.`,
    });
  if (status === 403)
    return failure('REGISTRY_UNAUTHORIZED', where, said, {
      hint: `This login may not do that. Ask who runs ${where.host} for access to ${where.repository}, or log in as someone else.`,
    });
  if (status === 404)
    return failure('REGISTRY_NOT_FOUND', where, said, {
      hint: 'Look for a typing mistake in the name; some registries want the repository to be created first, or hide what the login may not see.',
    });
  if (status === 429)
    return failure('REGISTRY_BUSY', where, said, {
      hint: 'Wait, then run it again: what has arrived is not sent again.',
    });
  if (status === 405 || status === 501)
    return failure('REGISTRY_UNSUPPORTED', where, said, { hint: `${where.host} does not offer this.` });
  if (status >= 500)
    return failure('REGISTRY_FAILED', where, said, {
      hint: `Run it again later: what has arrived is not sent again. If it stays, ask who runs ${where.host}.`,
    });
  return failure('REGISTRY_FAILED', where, said, {
    hint: `The registry refused what the distribution specification allows. Ask who runs ${where.host}, and report it to inlay with this message.`,
  });
}

/** The error of an operation that was stopped from outside. */
export function interrupted(where: Where): InlayError {
  return failure('INTERRUPTED', where, 'it was stopped', {
    hint: 'Run it again: what has arrived is not sent again.',
  });
}
