/** A picture of a bucket that is a third empty: in the page itself, as one more request would cost more. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%234353d6'/%3E%3Cpath d='M4 3h8v10H4z' fill='none' stroke='white' stroke-width='1.5'/%3E%3Cpath d='M4.7 7h6.6v5.3H4.7z' fill='white'/%3E%3C/svg%3E"

/** The page that loads the rest. Addresses are relative, so that it works below a stage; no script stands in it. */
export const pageHtml = ({
  script,
  style,
}: {
  readonly script: string
  readonly style: string
}): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>zael</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="./dashboard/${style}">
<script type="module" src="./dashboard/${script}"></script>
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript. The API itself does not: see <a href="./docs">the docs</a>.</noscript>
</body>
</html>
`
