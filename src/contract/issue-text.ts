/** An issue as valibot reports it; the standard interface shows only `message` and `path`. */
interface Issue {
  readonly message: string
  readonly type: string
  readonly expected: string | null
  readonly received: string
  readonly requirement: unknown
  readonly input: unknown
}

type PathSegment = PropertyKey | { readonly key: PropertyKey }

/** `limits[0].capacity`; `whole` where the issue is with the input as a whole. */
export const fieldOf = (path: readonly PathSegment[] | undefined, whole: string): string => {
  const keys = (path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment))
  const text = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return text === '' ? whole : text.replace(/^\./, '')
}

/** What completes "<field> must …". A message that a schema gives itself is used as it is. */
export const mustOf = (issue: unknown): string => {
  if (!isIssue(issue)) return 'be valid'
  if (!issue.message.startsWith('Invalid ')) return issue.message
  return (TEXTS[issue.type] ?? (() => 'be valid'))(issue)
}

const objectText = ({ expected }: Issue): string => {
  if (expected === 'never') return 'not be given: it is not known'
  return expected?.startsWith('"') ? 'be given' : 'be an object'
}

const lengthText =
  (bound: string) =>
  ({ requirement, input }: Issue): string =>
    typeof input === 'string'
      ? `be ${bound} ${requirement} characters long`
      : `hold ${bound} ${requirement} entries`

const choiceText = ({ expected }: Issue): string =>
  `be one of ${(expected ?? '').replace(/[()"]/g, '').replaceAll(' | ', ', ')}`

const TEXTS: Readonly<Record<string, (issue: Issue) => string>> = {
  object: objectText,
  strict_object: objectText,
  loose_object: objectText,
  record: () => 'be an object',
  string: () => 'be a string',
  number: () => 'be a number',
  boolean: () => 'be true or false',
  array: () => 'be a list',
  integer: () => 'be an integer',
  min_value: ({ requirement }) => `be at least ${requirement}`,
  max_value: ({ requirement }) => `be at most ${requirement}`,
  min_length: lengthText('at least'),
  max_length: lengthText('at most'),
  max_entries: lengthText('at most'),
  picklist: choiceText,
  literal: choiceText,
}

const isIssue = (issue: unknown): issue is Issue =>
  typeof issue === 'object' &&
  issue !== null &&
  'type' in issue &&
  'expected' in issue &&
  'requirement' in issue
