import { z } from 'zod';
import document from './runtime-lock.json' with { type: 'json' };

const schema = z.record(
  z.string(),
  z.strictObject({ version: z.string(), integrity: z.string().startsWith('sha512-') }),
);

/**
 * The npm packages that the runtime layer is made of, with the integrity that npm's registry published for them.
 * They are the versions that inlay itself runs on: check and the image use one ONNX Runtime.
 */
export const RUNTIME_LOCK = schema.parse(document);
