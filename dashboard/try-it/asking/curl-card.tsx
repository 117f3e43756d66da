import { apiUrl } from '../../api/api.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { CHAT_PATH } from '../running/send-chat.ts'
import { curlLine, secretVariable } from './curl-line.ts'
import { type Draft, planOf } from './draft.ts'

/** The same request for a shell. */
export const CurlCard = ({ draft }: { readonly draft: Draft }) => {
  const drafted = planOf({ ...draft, count: '1', parallelism: '1' })
  const { caller, body } = 'plan' in drafted ? drafted.plan : {}
  const line = caller && body && curlLine(apiUrl(CHAT_PATH).href, caller, body)
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
