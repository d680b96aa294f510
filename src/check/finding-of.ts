import type { InlayError } from '../error/index.ts';
import type { Finding } from './finding.ts';

/** Words of ONNX Runtime for an operator that it does not have. */
const UNKNOWN_OPERATOR =
  /No Op registered|No opset import|is not a registered function|Could not find an implementation|NOT_IMPLEMENTED/;

/** An error of the project as a finding. */
export function findingOf(error: InlayError): Finding {
  const code =
    error.code === 'MODEL_LOAD_FAILED' && UNKNOWN_OPERATOR.test(error.message) ? 'OPERATOR_UNKNOWN' : error.code;
  return { code, severity: 'error', message: error.message, ...(error.hint ? { hint: error.hint } : {}) };
}
