import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, type Failure } from '../model/fetched.ts';
import { Failed } from './parts.tsx';

/** Asks for the token of a hub that wants one. */
export function LoginPage({ onLogin }: { readonly onLogin: () => void }) {
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  // There is nothing else on the page.
  useEffect(() => field.current?.focus(), []);
  const login = async (token: string) => {
    setBusy(true);
    const fetched = await ask('api/session', { method: 'POST', body: JSON.stringify({ token }) });
    setBusy(false);
    if ('failure' in fetched) return setFailure(fetched.failure);
    setFailure(undefined);
    onLogin();
  };
  return (
    <main class="login">
      <h1 tabIndex={-1}>Log in to the hub</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void login(String(new FormData(event.currentTarget).get('token') ?? '').trim());
        }}
      >
        <label>
          <span>Token</span>
          <input
            type="password"
            name="token"
            autoComplete="current-password"
            required
            ref={field}
            aria-describedby="token-hint"
          />
        </label>
        <p id="token-hint" class="soft">
          What INLAY_HUB_TOKEN holds where the hub runs; in a cluster, the key token of the Secret inlay-hub.
        </p>
        <button type="submit" class="main-button" disabled={busy}>
          Log in
        </button>
      </form>
      {failure ? <Failed failure={failure} /> : null}
    </main>
  );
}
