/** The address of the next page: `Link: <...>; rel="next"` (RFC 8288). Never computed: `last` means what the registry says. */
export function nextPage(response: Response, base: URL): URL | undefined {
  const link = response.headers.get('link');
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link ?? '')?.[1];
  return target !== undefined && URL.canParse(target, base) ? new URL(target, base) : undefined;
}
