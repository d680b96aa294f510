/** What is sent to POST /predict. */
export interface Outgoing {
  readonly contentType: string;
  readonly content: string | Blob;
  /** Of a file that was chosen. */
  readonly fileName?: string;
}

/** What stands in a form, or why it cannot be sent: by the ids of fields. */
export type Filled = { readonly outgoing: Outgoing } | { readonly problems: ReadonlyMap<string, string> };

export function jsonBody(json: string): Outgoing {
  return { contentType: 'application/json', content: json };
}
