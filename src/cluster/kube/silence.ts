/** What keeps an API server from answering. */
export interface Silence {
  /** For people: `it refuses the connection (ECONNREFUSED)`. */
  readonly why: string;
  readonly hint: string;
  /** It may pass by itself, and so is worth another try. */
  readonly passes: boolean;
}

const NETWORK = 'Check the network, the VPN and --context; kubectl get --raw /readyz asks the same server.';

/** @param error what fetch threw */
export function silenceOf(error: unknown): Silence {
  const { name, message, code = '' } = error as Error & { code?: string };
  const told = code === '' || code === name ? '' : ` (${code})`;
  if (/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/.test(code))
    return {
      why: `its certificate is out of date${told}`,
      hint: "Check this machine's clock; else whoever runs the cluster has to renew the certificate.",
      passes: false,
    };
  if (/ALTNAME/.test(code))
    return {
      why: `its certificate is for another name${told}`,
      hint: 'The server: of the kubeconfig must be a name of the certificate, or tls-server-name has to say one.',
      passes: false,
    };
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ISSUER/.test(code))
    return {
      why: `its certificate is not trusted${told}`,
      hint: 'Has the cluster been made anew? Fetch its kubeconfig again: certificate-authority-data is of another one.',
      passes: false,
    };
  if (/SSL|TLS|EPROTO|KEY|PEM/.test(code))
    return {
      why: `no TLS connection comes about: ${message}${told}`,
      hint: "Check server: and the user's certificate and key in the kubeconfig.",
      passes: false,
    };
  const passing = (why: string) => ({ why: why + told, hint: NETWORK, passes: true });
  if (/ENOTFOUND|EAI_|DNS/.test(code)) return passing('no such host is known');
  if (/ConnectionRefused|ECONNREFUSED/.test(code)) return passing('it refuses the connection');
  if (name === 'TimeoutError' || /TIMEDOUT|Timeout/.test(code)) return passing('it gives no answer');
  return passing(/ConnectionClosed|ECONNRESET|EPIPE/.test(code) ? 'the connection was dropped' : message);
}
