import type { z } from 'zod';
import { InlayError } from '../../error/index.ts';

/** @param where what is named in the error @throws IMAGE_INVALID */
export function parseJson<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InlayError('IMAGE_INVALID', `${where} is not JSON`, { cause });
  }
  return check(schema, value, where);
}

/** @param where what is named in the error @throws IMAGE_INVALID */
export function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (!result.success)
    throw new InlayError(
      'IMAGE_INVALID',
      `${where} is not what the OCI image specification says: ${result.error.issues[0]?.message} at ${result.error.issues[0]?.path.join('.')}`,
      { cause: result.error },
    );
  return result.data;
}
