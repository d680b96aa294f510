import type { Contract } from '../contract/index.ts';
import type { Handler, Routes } from './router.ts';

/** Nothing from elsewhere, nothing inline: what a label or a name holds can only be text. */
const POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'self'";

/** The playground at `/`. Its files and the code that writes the page are read when they are asked for. */
export function playgroundRoutes(contract: Contract): Routes {
  const answer =
    (type: string, content: (web: typeof import('../web/index.ts')) => BodyInit | Promise<BodyInit>): Handler =>
    async () =>
      new Response(await content(await import('../web/index.ts')), {
        headers: {
          'content-type': `${type}; charset=utf-8`,
          'content-security-policy': POLICY,
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          // Another version of the model may come to stand behind the same address.
          'cache-control': 'no-cache',
        },
      });
  return {
    '/': { GET: answer('text/html', (web) => web.playgroundPage(contract)) },
    '/playground/app.js': { GET: answer('text/javascript', (web) => web.playgroundScript()) },
    '/playground/style.css': { GET: answer('text/css', (web) => web.playgroundStyle()) },
    '/playground/icon.svg': { GET: answer('image/svg+xml', (web) => web.playgroundIcon()) },
  };
}
