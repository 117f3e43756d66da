/** Swagger UI, with its files. Addresses are relative, so that the page works below a stage. */
export const swaggerPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>zael: API</title>
<link rel="icon" href="./docs/favicon-32x32.png">
<link rel="stylesheet" href="./docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./docs/swagger-ui-bundle.js"></script>
<script src="./docs/init.js"></script>
</body>
</html>
`

/** No inline script: the page's policy forbids them. */
export const swaggerInit = `SwaggerUIBundle({ url: './openapi.json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: false })
`

/** ReDoc, with its file. */
export const redocPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>zael: API</title>
<link rel="icon" href="./docs/favicon-32x32.png">
</head>
<body>
<redoc spec-url="./openapi.json"></redoc>
<script src="./redoc/redoc.standalone.js"></script>
</body>
</html>
`

/** A picture beside ReDoc's name, which its script would load from another host. */
const PICTURE = 'https://cdn.redoc.ly/redoc/logo-mini.svg'

const NO_PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"

/** ReDoc's script without its picture, so that the page is complete without internet access. */
export const offlineRedoc = (script: Uint8Array): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(new TextDecoder().decode(script).replaceAll(PICTURE, NO_PICTURE))
