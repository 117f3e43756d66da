import { html } from 'hono/html'

/** The links of the home page, relative to it, as it may be below a stage. */
const PLACES = [
  ['dashboard', 'view every limit live, and change it (requires the admin or viewer token)'],
  ['docs', 'read the API, and try it'],
  ['redoc', 'read the API'],
  ['openapi.json', 'the OpenAPI document, for generating clients'],
  ['health', 'the health of this node'],
  ['v1/models', 'the registered models (requires a key)'],
  ['api/entities', 'entities and their properties (requires the admin or viewer token)'],
  ['api/policies', 'limits on tenants, models, tiers and users (requires the admin or viewer token)'],
  ['api/dashboard/entities', 'the availability of each limit (requires the admin or viewer token)'],
] as const

/** The home page, with links below `base`. */
export const homePage = (base: string) => html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>zael</title></head>
<body>
<h1>zael</h1>
<p>A rate limiter for LLM and HTTP APIs. What there is:</p>
<ul>
${PLACES.map(([place, what]) => html`<li><a href="${base}/${place}">${place}</a>: ${what}</li>\n`)}</ul>
</body>
</html>
`
