import type { Credential } from './auth-file.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicHeader, type Token } from './token.ts';

export interface AuthorizerOptions {
  readonly findCredential: () => Promise<Credential | undefined>;
  readonly fetchToken: (
    challenge: Challenge,
    scopes: readonly string[],
    credential: Credential | undefined,
  ) => Promise<Token>;
  readonly now: () => number;
  readonly hide: (secret: Credential | string) => void;
}

/**
 * The Authorization header for one repository of one registry. Nothing is sent before the registry has asked; then the login
 * is looked up once, and tokens are kept until shortly before they end, so that a long upload does not outlive its token.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  /** In the order of preference; what the registry last asked for. */
  #challenge: Challenge | undefined;
  #credential: Promise<Credential | undefined> | undefined;
  #tokens = new Map<string, Promise<Token>>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  async header(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined;
    const credential = await this.#login();
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (this.#challenge.scheme === 'basic')
      return credential?.kind === 'password' ? basicHeader(credential) : undefined;
    return `Bearer ${(await this.#token(this.#challenge, scopes, credential)).value}`;
  }

  /**
   * Takes in a 401. True when another try may succeed: the registry has said how to log in, or the token had run out.
   * @param used the Authorization header that was refused
   */
  async refused(response: Response, scopes: readonly string[], used: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(response.headers.get('www-authenticate') ?? '');
    const next =
      challenges.find((c) => c.scheme === 'bearer' && c.params.realm) ?? challenges.find((c) => c.scheme === 'basic');
    if (next === undefined) return false;
    const credential = await this.#login();
    this.#challenge = next;
    if (next.scheme === 'basic') return used === undefined && credential?.kind === 'password';
    if (credential?.kind === 'bearer') return used === undefined;
    const key = keyOf(scopes);
    const cached = await this.#tokens.get(key)?.catch(() => undefined);
    // Another request may have renewed it meanwhile.
    if (cached && used === `Bearer ${cached.value}`) this.#tokens.delete(key);
    return true;
  }

  async #login(): Promise<Credential | undefined> {
    this.#credential ??= this.#options.findCredential().then((credential) => {
      if (credential) this.#options.hide(credential);
      return credential;
    });
    return this.#credential;
  }

  async #token(challenge: Challenge, scopes: readonly string[], credential: Credential | undefined): Promise<Token> {
    const key = keyOf(scopes);
    const known = this.#tokens.get(key);
    if (known && (await known).renewAtMs > this.#options.now()) return known;
    // Whoever comes first renews; the others wait for the same token.
    if (this.#tokens.get(key) === known) this.#tokens.set(key, this.#renew(challenge, scopes, credential));
    return this.#tokens.get(key) as Promise<Token>;
  }

  async #renew(challenge: Challenge, scopes: readonly string[], credential: Credential | undefined): Promise<Token> {
    const asked = challenge.params.scope?.split(' ').filter((scope) => scope !== '') ?? [];
    const all = [...scopes, ...asked.filter((scope) => !covers(scopes, scope))];
    try {
      const token = await this.#options.fetchToken(challenge, all, credential);
      this.#options.hide(token.value);
      if (token.refreshToken !== undefined && credential?.kind === 'identity')
        this.#credential = Promise.resolve({ kind: 'identity', token: token.refreshToken });
      return token;
    } catch (error) {
      // Kept, it would fail all that follow.
      this.#tokens.delete(keyOf(scopes));
      throw error;
    }
  }
}

function keyOf(scopes: readonly string[]): string {
  return scopes.join(' ');
}

/** Whether our scopes already ask for what the challenge names: `repository:a:pull,push` covers `repository:a:pull`. */
function covers(scopes: readonly string[], asked: string): boolean {
  const cut = asked.lastIndexOf(':');
  const actions = asked.slice(cut + 1).split(',');
  return scopes.some((scope) => {
    const at = scope.lastIndexOf(':');
    return (
      scope.slice(0, at) === asked.slice(0, cut) &&
      actions.every((a) =>
        scope
          .slice(at + 1)
          .split(',')
          .includes(a),
      )
    );
  });
}
