import swaggerUiCss from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' };
import swaggerUiScript from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' };

const PAGE = (title: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true, tryItOutEnabled: true });</script>
</body>
</html>
`;

/** Swagger UI from files in the image: nothing is fetched from elsewhere. Links are relative, so a path prefix works. */
export function docsRoutes(modelName: string): Readonly<Record<string, () => Response>> {
  const page = PAGE(`${modelName} API`);
  // Bun resolves imported files to absolute paths from sources, and to names beside the bundle in a bundle.
  const asset = (path: string, type: string) => () =>
    new Response(Bun.file(path.startsWith('/') ? path : `${import.meta.dir}/${path}`), {
      headers: { 'content-type': type, 'cache-control': 'max-age=3600' },
    });
  return {
    '/docs': () => new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
    '/docs/swagger-ui.css': asset(swaggerUiCss, 'text/css; charset=utf-8'),
    '/docs/swagger-ui-bundle.js': asset(swaggerUiScript as unknown as string, 'text/javascript; charset=utf-8'),
  };
}
