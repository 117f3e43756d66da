import { useState } from 'preact/hooks'
import type { Audit } from '../../api/answers.ts'
import { useSession } from '../../api/session.tsx'
import { useAnswer } from '../../api/use-answer.ts'
import { Empty } from '../../parts/empty.tsx'
import { ErrorNotice } from '../../parts/notice.tsx'
import { AuditEntry } from './audit-entry.tsx'

const PER_PAGE = 20

/** Who changed what of an entity, newest first. */
export const AuditSection = ({ entityId }: { readonly entityId: string }) => (
  <section class="card" aria-label="Audit">
    <h2>Audit</h2>
    <AuditPage entityId={entityId} cursor={undefined} />
  </section>
)

interface PageProps {
  readonly entityId: string
  readonly cursor: string | undefined
}

/** One page, and the next one where it was asked for. */
const AuditPage = ({ entityId, cursor }: PageProps) => {
  const { api } = useSession()
  const [showsOlder, setShowsOlder] = useState(false)
  const { data, error } = useAnswer(
    (signal) => api.get<Audit>('api/audit', { entity_id: entityId, limit: PER_PAGE, cursor }, signal),
    [entityId, cursor],
  )
  if (error) return <ErrorNotice error={error} />
  if (!data) return <p class="quiet">Loading…</p>
  if (data.items.length === 0)
    return (
      <Empty title={cursor === undefined ? 'No changes yet' : 'No older changes'}>
        {cursor === undefined && <p>Changes of this entity, its keys and its limits appear here.</p>}
      </Empty>
    )
  return (
    <>
      <ol class="audit">
        {data.items.map((item) => (
          <AuditEntry key={`${item.at} ${item.action}`} item={item} />
        ))}
      </ol>
      {data.next_cursor !== null &&
        (showsOlder ? (
          <AuditPage entityId={entityId} cursor={data.next_cursor} />
        ) : (
          <div class="actions">
            <button class="button" type="button" onClick={() => setShowsOlder(true)}>
              Show older
            </button>
          </div>
        ))}
    </>
  )
}
