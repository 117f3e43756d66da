import type { ComponentProps } from 'preact'
import type { Entities } from '../../api/answers.ts'
import { useSession } from '../../api/session.tsx'
import { useAnswer } from '../../api/use-answer.ts'
import { SuggestField } from './suggest-field.tsx'
import { useSettled } from './use-settled.ts'

const SUGGESTED = 20

type Props = Omit<ComponentProps<typeof SuggestField>, 'suggestions'>

/** The id of an entity; suggests those whose id or name holds what is typed. */
export const EntityField = (field: Props) => {
  const { api } = useSession()
  const typed = useSettled(field.value.trim())
  const { data } = useAnswer(
    (signal) => api.get<Entities>('api/entities', { q: typed || undefined, limit: SUGGESTED }, signal),
    [typed],
  )
  const suggestions = (data?.items ?? []).map(({ entity_id, name }) => [entity_id, name] as const)
  return <SuggestField {...field} suggestions={suggestions} />
}
