import { checkedBy } from './containers.ts'

const PRINTABLE = /^[\x21-\x7e]{1,2048}$/

/** The routes that zael appends to the base URL of an upstream. */
const ROUTE = /\/(chat\/completions|completions|embeddings|responses|messages|messages\/count_tokens|models)$/

const rules: readonly { readonly must: string; readonly isBroken: (url: URL, text: string) => boolean }[] = [
  {
    must: 'be a URL that begins with http:// or https://',
    isBroken: ({ protocol }) => protocol !== 'https:' && protocol !== 'http:',
  },
  {
    must: 'contain no user name or password: errors and logs contain the URL',
    isBroken: ({ username, password }) => username !== '' || password !== '',
  },
  { must: 'contain no query', isBroken: (_, text) => text.includes('?') },
  { must: 'contain no fragment', isBroken: (_, text) => text.includes('#') },
  {
    must: 'not end with a route such as /chat/completions: zael appends it',
    isBroken: (url) => ROUTE.test(pathOf(url)),
  },
]

/** What is wrong with the base URL of an upstream, completing "<field> must …"; undefined: nothing. Never repeats the URL. */
export const baseUrlFault = (text: string): string | undefined => {
  if (!PRINTABLE.test(text) || !URL.canParse(text)) return NO_URL
  const url = new URL(text)
  return rules.find(({ isBroken }) => isBroken(url, text))?.must
}

const NO_URL = 'be a URL of at most 2048 printable ASCII characters'

/** As `baseUrlFault`, for `kind: openai`. */
export const openAiBaseUrlFault = (text: string): string | undefined =>
  baseUrlFault(text) ?? (hasPath(text) ? undefined : NO_PATH)

/** Compatible servers have other paths than `/v1`, and a few none: a final slash states that. */
const NO_PATH =
  'include the path of the API, which is /v1 at OpenAI and most compatible servers (end it with / if there is none)'

const hasPath = (text: string): boolean => text.replace(/^https?:\/\//i, '').includes('/')

/** The path without final slashes. */
export const pathOf = ({ pathname }: URL): string => pathname.replace(/\/+$/, '')

export const baseUrlCheck = checkedBy<string>((text) => {
  const must = baseUrlFault(text)
  return must === undefined ? undefined : { must }
})
