import type { Models } from './answers.ts'
import { useSession } from './session.tsx'
import { useAnswer } from './use-answer.ts'

const NONE: readonly string[] = []

/** The ids of the registered models; none until they are known. */
export const useModels = (): readonly string[] => {
  const { api } = useSession()
  const { data } = useAnswer((signal) => api.get<Models>('api/models', {}, signal), [])
  return data?.items.map(({ model_id }) => model_id) ?? NONE
}
