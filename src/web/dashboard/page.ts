/**
 * The pages' names after the last slash of the hub's address. All lie side by side, so that links are relative and a path prefix that ends
 * in a slash works; what a page is about stands in its query.
 */
export const DASHBOARD_PAGES = [
  '',
  'who',
  'service',
  'versions',
  'version',
  'compare',
  'storage',
  'prune',
  'clusters',
] as const;
export type PageName = (typeof DASHBOARD_PAGES)[number];

/** The dashboard's HTML: a shell without a word of the inventory in it, so that a browser gets it before it has logged in. */
export const DASHBOARD_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>inlay hub</title>
<link rel="icon" type="image/svg+xml" href="dashboard/dashboard-icon.svg">
<link rel="stylesheet" href="dashboard/dashboard.css">
</head>
<body>
<div id="app"><noscript><p>The dashboard needs JavaScript. The API at api/now answers without it.</p></noscript></div>
<script src="dashboard/dashboard.js"></script>
</body>
</html>
`;
