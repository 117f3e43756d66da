import './overview.css'
import { useState } from 'preact/hooks'
import { useSession } from '../api/session.tsx'
import { CreateEntity } from '../entity/edit-entity.tsx'
import { hrefOf } from '../shell/route.ts'
import { FoundEntities } from './found-entities.tsx'
import { ConnectionBadge } from './live/connection-badge.tsx'
import { useLivePage } from './live/use-live-page.ts'
import { Toolbar } from './toolbar.tsx'
import { usePlace } from './use-place.ts'

/** Every entity with what it has left, live. */
export const Overview = () => {
  const { mayWrite } = useSession()
  const place = usePlace()
  const live = useLivePage(place.query)
  const [isMaking, setMaking] = useState(false)
  const make = () => setMaking(true)
  return (
    <>
      <header class="view-head">
        <div class="overview-title">
          <h1>Overview</h1>
          <ConnectionBadge connection={live.connection} />
        </div>
        {mayWrite && (
          <button class="button primary" type="button" onClick={make}>
            New entity
          </button>
        )}
      </header>
      <Toolbar place={place} />
      <FoundEntities place={place} live={live} onMake={mayWrite ? make : undefined} />
      {isMaking && <CreateEntity parentId="" onCreated={goTo} onClose={() => setMaking(false)} />}
    </>
  )
}

const goTo = (id: string): void => location.assign(hrefOf({ view: 'entity', id }))
