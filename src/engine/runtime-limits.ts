/**
 * The newest formats that ONNX Runtime 1.30 loads: IR version, and operator set by domain. A test holds them against
 * the library itself.
 */
export const RUNTIME_LIMITS = { irVersion: 13, opsets: { '': 26, 'ai.onnx.ml': 5 } } as const;

/** The newest operator set of a domain that is loaded, or undefined for a domain without a known limit. */
export function newestOpset(domain: string): number | undefined {
  return (RUNTIME_LIMITS.opsets as Readonly<Record<string, number>>)[domain === 'ai.onnx' ? '' : domain];
}
