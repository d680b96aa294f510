type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL by HTTP_PROXY, HTTPS_PROXY and NO_PROXY (either case), or undefined. NO_PROXY is read as Go reads it
 * (golang.org/x/net/http/httpproxy), because the same variables steer docker, skopeo and kubectl: a name also
 * covers its subdomains, CIDR blocks count, `*` is everything, and loopback is never proxied.
 */
export function proxyFor(url: URL, env: Env): string | undefined {
  const proxy = url.protocol === 'https:' ? env.HTTPS_PROXY || env.https_proxy : env.HTTP_PROXY || env.http_proxy;
  if (!proxy || isLoopback(url.hostname) || excluded(url, env.NO_PROXY || env.no_proxy || '')) return undefined;
  return /^\w+:\/\//.test(proxy) ? proxy : `http://${proxy}`;
}

/** localhost, 127.0.0.0/8 and ::1. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function excluded(url: URL, noProxy: string): boolean {
  const host = url.hostname.toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      if (entry.includes('/')) return inBlock(host, entry);
      const [, name = entry, entryPort] = /^(.+?):(\d+)$/.exec(entry) ?? [];
      if (entryPort !== undefined && entryPort !== port) return false;
      const bare = name.replace(/^\*?\./, '');
      return host.endsWith(`.${bare}`) || (host === bare && bare === name);
    });
}

/** Whether an IPv4 address lies in a CIDR block. */
function inBlock(host: string, block: string): boolean {
  const [network = '', bits = ''] = block.split('/');
  const address = ipv4(host);
  const base = ipv4(network);
  if (address === undefined || base === undefined || !/^\d+$/.test(bits)) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(address / size) === Math.floor(base / size);
}

function ipv4(text: string): number | undefined {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return undefined;
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
