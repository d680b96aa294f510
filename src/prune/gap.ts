import { isInlayError } from '../error/index.ts';

/** Something that could not be known: while there is one, nothing is deleted. */
export interface Gap {
  readonly about: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export function gapOf(about: string, error: unknown): Gap {
  if (isInlayError(error))
    return {
      about,
      code: error.code,
      // What it is about is told once.
      message: error.message.startsWith(`${about}: `) ? error.message.slice(about.length + 2) : error.message,
      ...(error.hint ? { hint: error.hint } : {}),
    };
  return { about, code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}
