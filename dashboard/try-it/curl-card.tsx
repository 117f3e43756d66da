import { apiUrl } from '../api/api.ts'
import { CopyButton } from '../parts/controls.tsx'
import { MODEL_APIS, type RequestBody } from './model-apis.ts'
import { type Caller, type Draft, parseDraft } from './request-draft.ts'

/** The curl command of the request. */
export const CurlCard = ({ draft }: { readonly draft: Draft }) => {
  const parsed = parseDraft({ ...draft, count: '1', parallelism: '1' })
  const { caller, body } = 'run' in parsed ? parsed.run : {}
  const line = caller && body && curlLine(apiUrl(MODEL_APIS[draft.api].path).href, caller, body)
  return (
    <section class="card" aria-labelledby="try-curl">
      <div class="card-head">
        <h2 id="try-curl">With curl</h2>
        {line && <CopyButton text={line} what="the curl line" />}
      </div>
      {line === undefined ? (
        <p class="quiet">Complete the request to see its curl command.</p>
      ) : (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <pre class="curl-line" tabIndex={0}>
            {line}
          </pre>
          <p class="quiet curl-note">
            The command contains no secret: set <code>{caller && secretVariable(caller)}</code> to{' '}
            {caller?.kind === 'entity' ? 'the admin token' : 'the key'} first.
          </p>
        </>
      )}
    </section>
  )
}

/** The environment variable for the secret, which the command must not contain. */
export const secretVariable = (caller: Caller): 'ADMIN_TOKEN' | 'API_KEY' =>
  caller.kind === 'entity' ? 'ADMIN_TOKEN' : 'API_KEY'

/** The request as a command for a POSIX shell, with its secret in an environment variable. */
export const curlLine = (url: string, caller: Caller, body: RequestBody): string =>
  [
    `curl -i${body.stream ? 'N' : ''}`,
    quoted(url),
    `-H "Authorization: Bearer $${secretVariable(caller)}"`,
    ...(caller.kind === 'entity' ? [`-H ${quoted(`X-Zael-Entity: ${caller.id}`)}`] : []),
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(' \\\n')

/** Quotes a text for the shell: between single quotes only the quote itself is special. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
