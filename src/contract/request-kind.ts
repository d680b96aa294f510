/** What became of a request that asked the model. */
export type RequestKind = 'answered' | 'refused' | 'gone' | 'failed';

const INFER_ROUTE = /^\/v2\/models\/.+\/infer$/;
const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';

/** Whether a route asks the model: probes, pages and metadata say nothing of it, and would water down its numbers. */
export function isInference(route: string): boolean {
  return route === '/predict' || route.startsWith('/predict/') || INFER_ROUTE.test(route) || route === MODEL_INFER;
}

/** Statuses that are the server's fault, as OpenTelemetry's conventions for gRPC servers have them. */
const SERVERS_FAULT = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/**
 * @param code HTTP's number or gRPC's name. 499 and CANCELLED are clients that did not wait: neither the model's failure nor a
 * refusal, but their seconds count, since a slow model is what drives them away.
 */
export function kindOf(code: string): RequestKind {
  if (code === '499' || code === 'CANCELLED') return 'gone';
  if (/^\d+$/.test(code)) return code.startsWith('5') ? 'failed' : code.startsWith('4') ? 'refused' : 'answered';
  if (code === 'OK') return 'answered';
  return SERVERS_FAULT.has(code) ? 'failed' : 'refused';
}
