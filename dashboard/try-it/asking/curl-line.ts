import type { Caller, ChatBody } from './draft.ts'

/** The variable that stands for the secret: no secret is shown, nor copied. */
export const secretVariable = (caller: Caller): 'ADMIN_TOKEN' | 'API_KEY' =>
  caller.kind === 'entity' ? 'ADMIN_TOKEN' : 'API_KEY'

/** The same request for a POSIX shell, its secret in a variable of the environment. */
export const curlLine = (url: string, caller: Caller, body: ChatBody): string =>
  [
    `curl -i${body.stream ? 'N' : ''}`,
    quoted(url),
    `-H "Authorization: Bearer $${secretVariable(caller)}"`,
    ...(caller.kind === 'entity' ? [`-H ${quoted(`X-Zael-Entity: ${caller.id}`)}`] : []),
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(' \\\n')

/** Nothing is special between single quotes but the quote itself. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
