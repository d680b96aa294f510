/** The secrets of one client, and how to take them out of a text before a person or a log sees it. */
export class Secrets {
  readonly #known = new Set<string>();

  /** Also hides it percent-encoded. */
  add(secret: string | undefined): void {
    // Shorter ones would blank out ordinary words, and nothing that short is secret.
    if (secret === undefined || secret.length < 4) return;
    this.#known.add(secret);
    this.#known.add(encodeURIComponent(secret));
  }

  /** A password, alone and as it stands in a Basic header. */
  addLogin(username: string | undefined, password: string | undefined): void {
    if (username === undefined || password === undefined) return;
    this.add(password);
    this.add(Buffer.from(`${username}:${password}`, 'utf8').toString('base64'));
  }

  scrub(text: string): string {
    let clean = text;
    for (const secret of [...this.#known].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, '***');
    // Signed addresses and proxies carry theirs in the URL.
    return clean.replace(/(\w+:\/\/)[^/\s@]+@/g, '$1***@').replace(/(https?:\/\/[^\s?"']+)\?[^\s"']+/g, '$1?***');
  }
}
