import type { z } from 'zod';
import { InlayError } from '../error/index.ts';

/** A JSON document of an image. @param where its digest, for the error @throws IMAGE_INVALID */
export function readDocument<T>(schema: z.ZodType<T>, bytes: Uint8Array, where: string): T {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new InlayError('IMAGE_INVALID', `${where} is not what the OCI image specification says`, {
      cause,
      hint: 'What is there is another kind of artifact, or damaged.',
    });
  }
}
