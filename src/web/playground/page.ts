import type { Contract } from '../../contract/index.ts';
import { pageModelOf } from './model/page-model.ts';

/** Where the page's script finds the model. */
export const MODEL_ELEMENT = 'model';

/**
 * The playground's HTML: a shell that the script fills from the model in it. Links are relative, so a path prefix that
 * ends in a slash works; there is no inline script or style, so `default-src 'self'` holds.
 */
export function playgroundPage(contract: Contract): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(contract.name)} ${escapeHtml(contract.version)} · playground</title>
<link rel="icon" type="image/svg+xml" href="playground/icon.svg">
<link rel="stylesheet" href="playground/style.css">
</head>
<body>
<div id="app"><noscript><p>The playground needs JavaScript. <a href="docs">The API's documentation</a> lists its routes.</p></noscript></div>
<script type="application/json" id="${MODEL_ELEMENT}">${escapeJson(JSON.stringify(pageModelOf(contract)))}</script>
<script src="playground/app.js"></script>
</body>
</html>
`;
}

/** JSON that cannot end the script element it stands in, nor open a comment in it (HTML, 4.12.1.3). */
export function escapeJson(json: string): string {
  return json.replaceAll('<', '\\u003c');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
