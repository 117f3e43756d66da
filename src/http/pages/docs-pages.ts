/** A page of the documentation. Addresses are relative, so that the page works below a stage. */
const docsPage = (links: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>zael: API</title>
<link rel="icon" href="./docs/favicon-32x32.png">
${links}</head>
<body>
${body}</body>
</html>
`

/** Swagger UI, with its files. */
export const swaggerPage = docsPage(
  `<link rel="stylesheet" href="./docs/swagger-ui.css">
`,
  `<div id="swagger-ui"></div>
<script src="./docs/swagger-ui-bundle.js"></script>
<script src="./docs/init.js"></script>
`,
)

/** No inline script: the page's policy forbids them. */
export const swaggerInit = `SwaggerUIBundle({ url: './openapi.json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: false })
`

/** ReDoc, with its file. */
export const redocPage = docsPage(
  '',
  `<redoc spec-url="./openapi.json"></redoc>
<script src="./redoc/redoc.standalone.js"></script>
`,
)

/** A picture beside ReDoc's name, which its script would load from another host. */
const PICTURE = 'https://cdn.redoc.ly/redoc/logo-mini.svg'

const NO_PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"

/** ReDoc's script without its picture, so that the page is complete without internet access. */
export const offlineRedoc = (script: Uint8Array): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(new TextDecoder().decode(script).replaceAll(PICTURE, NO_PICTURE))
