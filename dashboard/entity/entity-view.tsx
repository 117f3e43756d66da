import './entity.css'
import type { Entity } from '../api/answers.ts'
import { ApiError, pathOf } from '../api/api.ts'
import { useSession } from '../api/session.tsx'
import { useAnswer } from '../api/use-answer.ts'
import { Empty } from '../parts/empty.tsx'
import { ErrorNotice } from '../parts/notice.tsx'
import { type EntitySection, hrefOf } from '../shell/route.ts'
import { EntityHead } from './entity-head.tsx'
import { Section } from './section.tsx'
import { SectionLinks } from './section-links.tsx'

interface Props {
  readonly id: string
  readonly section: EntitySection
}

/** One entity, with everything that is about it. */
export const EntityView = ({ id, section }: Props) => {
  const { api } = useSession()
  const asked = useAnswer((signal) => api.get<Entity>(pathOf('api/entities', id), {}, signal), [id])
  if (asked.data === undefined)
    return (
      <>
        <header class="view-head">
          <h1>{id}</h1>
        </header>
        {asked.error ? <NoEntity id={id} error={asked.error} /> : <p class="quiet">Loading…</p>}
      </>
    )
  return (
    <>
      <EntityHead entity={asked.data} onChanged={asked.reload} />
      <SectionLinks id={id} current={section} />
      <Section key={section} section={section} entity={asked.data} />
    </>
  )
}

const NoEntity = ({ id, error }: { readonly id: string; readonly error: Error }) => {
  if (!(error instanceof ApiError && error.status === 404)) return <ErrorNotice error={error} />
  return (
    <section class="card">
      <Empty title={`There is no entity ${id}`}>
        <p>
          It may have been deleted. <a href={hrefOf({ view: 'overview' })}>Go to the overview</a>
        </p>
      </Empty>
    </section>
  )
}
