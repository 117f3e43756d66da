/** The rules of the API for names. The dashboard contains no code of the API, so tests compare the two. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/
const MODEL_ID = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/
const RESOURCE = /^([A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}|_(default|other|total)_)$/
const LIMIT_NAME = /^[a-z][a-z0-9_]{0,31}$/
const RESERVED_LIMIT_NAME = /^(used|denied)(_|$)/
const LONGEST_NAME = 256

/** The error of a text, as a sentence; undefined if it is valid. */
export type Check = (text: string) => string | undefined

/** The id of an entity, role, tier or kind, or the selector of a policy. */
export const checkId: Check = (text) =>
  ID.test(text) ? undefined : 'Must be 1 to 128 of A-Z a-z 0-9 . _ : @ - and begin with a letter or digit'

export const checkModelId: Check = (text) =>
  MODEL_ID.test(text)
    ? undefined
    : 'Must be 1 to 128 of A-Z a-z 0-9 . _ : @ / - and begin with a letter or digit'

export const checkResource: Check = (text) => (RESOURCE.test(text) ? undefined : checkModelId(text))

export const checkLimitName: Check = (text) => {
  if (!LIMIT_NAME.test(text)) return 'Must be 1 to 32 of a-z 0-9 _ and begin with a letter'
  return RESERVED_LIMIT_NAME.test(text)
    ? 'Must not be used or denied, nor begin with used_ or denied_'
    : undefined
}

export const checkName: Check = (text) =>
  text.length <= LONGEST_NAME ? undefined : `Must be at most ${LONGEST_NAME} characters`

/** Model ids separated by commas or spaces. */
export const checkModelIds: Check = (text) => {
  const wrong = text.split(/[\s,]+/).find((id) => id !== '' && !MODEL_ID.test(id))
  return wrong === undefined ? undefined : `${wrong} is not a model id: ${lowerFirst(checkModelId(wrong))}`
}

const lowerFirst = (text = ''): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`
