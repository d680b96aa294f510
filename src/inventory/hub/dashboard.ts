import {
  DASHBOARD_FILES,
  DASHBOARD_PAGE,
  DASHBOARD_PAGES,
  type DashboardFile,
  dashboardFile,
} from '../../web/index.ts';

/** Nothing from elsewhere, nothing inline: what a name in a cluster holds can only be text. */
const POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'";
const FOLDER = '/dashboard/';

/** The dashboard's pages and files; undefined for any other path. They tell nothing of the inventory, so they need no token. */
export async function dashboardAnswer(pathname: string): Promise<Response | undefined> {
  if ((DASHBOARD_PAGES as readonly string[]).includes(pathname.slice(1))) return respond(DASHBOARD_PAGE, 'text/html');
  if (!pathname.startsWith(FOLDER)) return undefined;
  const name = pathname.slice(FOLDER.length);
  return isFile(name) ? respond(await dashboardFile(name), DASHBOARD_FILES[name]) : undefined;
}

function isFile(name: string): name is DashboardFile {
  return Object.hasOwn(DASHBOARD_FILES, name);
}

function respond(body: BodyInit, type: string): Response {
  return new Response(body, {
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      // Another version of inlay may come to stand behind the same address.
      'cache-control': 'no-cache',
    },
  });
}
