import type { Defaults, Limit } from '../../api/answers.ts'

const ENVIRONMENT = 'environment'

/** What is set here, without what the environment says where nothing is. */
export const ownLimits = ({ limits }: Pick<Defaults, 'limits'>): readonly Limit[] =>
  limits.filter(({ source }) => source !== ENVIRONMENT)

/** `on gpt-4`, for a title. */
export const onResourceText = (resource: string): string =>
  resource === '_default_' ? 'for each resource' : `on ${resource}`
