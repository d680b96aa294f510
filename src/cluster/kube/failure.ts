import { z } from 'zod';
import { type ErrorCode, InlayError } from '../../error/index.ts';

/** metav1.Status, what the API server answers where it does not answer an object. */
const statusSchema = z.object({
  message: z.string().default(''),
  reason: z.string().default(''),
  details: z
    .object({
      causes: z.array(z.object({ field: z.string().optional(), message: z.string().optional() })).optional(),
      retryAfterSeconds: z.number().optional(),
    })
    .optional(),
});

/** An answer that is not a success. */
export class ApiFailure extends InlayError {
  readonly status: number;
  readonly reason: string;

  constructor(code: ErrorCode, status: number, reason: string, message: string, hint: string) {
    super(code, message, { hint });
    this.status = status;
    this.reason = reason;
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiFailure && error.status === 404;
}

export function isConflict(error: unknown): boolean {
  return error instanceof ApiFailure && error.status === 409;
}

/** @param step what was asked, for people: `applying Deployment ml/iris` */
export function failureOf(step: string, context: string, status: number, body: string): ApiFailure {
  const { message, reason } = parseStatus(body);
  const what = `${step} in ${context}: ${message || `HTTP ${status}`}`;
  const of = (code: ErrorCode, hint: string) => new ApiFailure(code, status, reason, what, hint);
  if (status === 401)
    return of(
      'CLUSTER_FORBIDDEN',
      'The API server does not know this login. Renew it (kubectl get pods tells the same).',
    );
  if (status === 403)
    return of(
      'CLUSTER_FORBIDDEN',
      /being terminated/.test(message)
        ? 'The namespace is being deleted: wait until it is gone, or name another with --namespace.'
        : /exceeded quota/.test(message)
          ? 'The namespace has a ResourceQuota: ask for more, or for fewer replicas (deploy.replicas).'
          : 'inlay manifests --roles prints the Role that each command needs.',
    );
  if (status === 404)
    return of('CLUSTER_NOT_FOUND', 'Check --context and --namespace; kubectl get shows what is there.');
  if (status === 409)
    return of(
      'CLUSTER_CONFLICT',
      reason === 'Conflict' && /conflicts? with/.test(message)
        ? 'Another tool manages these fields. Let it go of them, or take them over with --force-conflicts.'
        : 'Somebody changed it at the same time. Run the command again.',
    );
  if (status === 400 || status === 422)
    return of(
      'CLUSTER_REFUSED',
      'The API server, or an admission webhook, does not accept the object: see what it says.',
    );
  if (status === 410) return of('CLUSTER_CONFLICT', 'What was watched has moved on; list it anew.');
  return of('CLUSTER_FAILED', 'Look at the health of the API server: kubectl get --raw /readyz.');
}

function parseStatus(body: string): { message: string; reason: string } {
  try {
    const status = statusSchema.parse(JSON.parse(body));
    return { message: status.message, reason: status.reason };
  } catch {
    return { message: body.slice(0, 500).trim(), reason: '' };
  }
}

/** Answers after which the same request may well succeed. */
export function isTransientStatus(status: number): boolean {
  return status === 429 || status === 500 || status === 502 || status === 503 || status === 504;
}
