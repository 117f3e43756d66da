/** What the answer to one request says beside what its route does; begun by middleware before the route, and added to. */
export interface Answering {
  /** Headers that no route overrides, names in lower case: the request's id, the node, whom browsers may show it to. */
  readonly headers: Record<string, string>
  /** The answer that was made with all of them already. */
  whole: Response | undefined
}

type Headers = Readonly<Record<string, string>>

/** The strictest headers for browsers; an answer that needs others has set them itself. */
export const UNLESS_SET: Headers = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
}

const JSON_DEFAULTS: Headers = { ...UNLESS_SET, 'content-type': 'application/json' }

/**
 * A JSON answer with all its headers, names in lower case, made in one go of a text and a plain record: a Node server writes
 * such a one as it is, while every look at a Response's `headers` costs it more than the decision (docs/decisions/035).
 */
export const answerJson = (
  answering: Answering,
  body: unknown,
  status: number,
  headers?: Headers,
): Response => {
  const answer = new Response(JSON.stringify(body), {
    status,
    headers: { ...JSON_DEFAULTS, ...headers, ...answering.headers },
  })
  answering.whole = answer
  return answer
}

/** Adds to an answer that was made otherwise what `answerJson` gives to its own. */
export const complete = (answer: Response, answering: Answering): void => {
  if (answer === answering.whole) return
  for (const [name, value] of Object.entries(UNLESS_SET)) {
    if (!answer.headers.has(name)) answer.headers.set(name, value)
  }
  for (const [name, value] of Object.entries(answering.headers)) {
    if (name === 'vary') answer.headers.append(name, value)
    else answer.headers.set(name, value)
  }
}
