import { z } from 'zod';

/** A number of YAML, or text that says one: `DRAIN_S: 10` and `DRAIN_S: "10"` are the same variable. */
function ranged(kind: 'number' | 'whole number', least: number, most: number) {
  const expected = `expected a ${kind} from ${least} to ${most}`;
  const plain = kind === 'number' ? z.number(expected) : z.int(expected);
  return z.union(
    [
      plain.min(least, expected).max(most, expected),
      z
        .string()
        .regex(kind === 'number' ? /^\d+(\.\d+)?$/ : /^\d+$/, expected)
        .refine((text) => Number(text) >= least && Number(text) <= most, expected),
    ],
    expected,
  );
}
const flag = () => z.union([z.boolean(), z.enum(['true', 'false'])], 'expected true or false');
const number = (least: number, most: number) => ranged('number', least, most);
const whole = (least: number, most: number) => ranged('whole number', least, most);

/**
 * The server's variables that a person may set (docs/server.md); a test holds them to what the server reads. Where it
 * listens and what it serves are the image's and the manifests' own.
 */
export const serverEnvSchema = z.strictObject({
  LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR']).optional(),
  LOG_FORMAT: z.enum(['TEXT', 'JSON']).optional(),
  GRPC_PORT: z
    .union([z.literal(0), z.literal('0')], 'the port is 8001; 0 switches gRPC off')
    .optional()
    .describe('0: no gRPC.'),
  DRAIN_S: number(0, 3600).optional(),
  MAX_DRAIN_S: number(0, 3600).optional(),
  MAX_BODY_BYTES: whole(1, 2 ** 31).optional(),
  MAX_BODIES_BYTES: whole(1, 2 ** 40).optional(),
  MAX_HEADER_BYTES: whole(1024, 2 ** 20).optional(),
  MAX_REQUEST_ROWS: whole(1, 1e9).optional(),
  MAX_CONNECTIONS: whole(1, 1e6).optional(),
  LIVENESS_TIMEOUT_S: number(0.001, 3600).optional(),
  TRANSFORM_TIMEOUT_S: number(0.001, 3600).optional(),
  BODY_TIMEOUT_S: number(0.001, 3600).optional(),
  MAX_QUEUE_ROWS: whole(1, 1e9).optional(),
  MAX_QUEUE_MS: whole(1, 3.6e6).optional(),
  MAX_CONNECTION_AGE_S: number(0, 86_400).optional(),
  DIRECT_REQUESTS: flag().optional(),
  ACCESS_LOG: flag().optional(),
  PREDICTION_LOG: z
    .string()
    .regex(/^(stdout|\/tmp\/.+)$/, 'expected stdout, or a file under /tmp: nothing else can be written')
    .optional(),
  PREDICTION_LOG_MAX_BYTES: whole(0, 2 ** 40).optional(),
  PREDICTION_LOG_SAMPLE: number(0, 1).optional(),
  PREDICTION_LOG_REDACT: z.string().optional(),
});
