/** What clients say that do not say what they send: curl's own word for --data-binary among them. */
const UNTOLD = ['', 'application/x-www-form-urlencoded', 'application/octet-stream'];

/** The media type of a Content-Type header, lower case, without parameters (RFC 9110, 8.3.1); empty where there is none. */
export function mediaTypeOf(header: string | null): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * The type that a body counts as: what its header says, where that is accepted, or the only accepted type where the header says
 * nothing. Undefined: not accepted.
 * @param accepts media types, lower case; a subtype may be `*`
 */
export function acceptedType(accepts: readonly string[], header: string | null): string | undefined {
  const type = mediaTypeOf(header);
  if (accepts.includes(type) || accepts.includes(`${type.split('/', 1)[0]}/*`)) return type;
  const [only, second] = accepts;
  return UNTOLD.includes(type) && only && !second && !only.endsWith('/*') ? only : undefined;
}
