import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import type { ModelApi, ModelProblem, ResponseHeaders } from '../../core/ports/model-backend.ts'
import { isAnthropic, openAiErrorFields } from '../../web/model-errors.ts'
import { isObject, objectsIn, parseObject, stringOf } from '../json-values.ts'
import { credentialsRejected, problem, unavailable } from './upstream-problems.ts'

/** A response of an upstream that is an error. */
export interface ErrorResponse {
  readonly upstream: string
  readonly api: ModelApi
  readonly status: number
  readonly headers: ResponseHeaders
  readonly text: string
  /** zael's own key, which must not pass; undefined: there is none. */
  readonly key: string | undefined
}

/** The error that the client receives: a problem to be rendered, or a body in the form of the API. */
export type ClientError =
  | { readonly problem: ModelProblem }
  /** `text` is null if the bytes of the upstream pass as they are. */
  | { readonly status: number; readonly text: string | null }

/**
 * An error passes as it is if it has the form of the API, else with the upstream's own message. One that concerns zael's own
 * credentials, which the client cannot change, becomes a 502: its text may contain a part of them.
 */
export const clientError = (response: ErrorResponse): ClientError => {
  const { upstream, status, text } = response
  const body = parseObject(text)
  if (concernsCredentials(response, body)) return { problem: credentialsRejected(upstream) }
  if (status < 400 || status > 599)
    return { problem: unavailable(`The upstream ${upstream} responded ${status}`) }
  if (body !== undefined && isComplete(response.api, body)) return { status, text: null }
  const message = messageIn(body) ?? plainText(text)
  if (message === undefined)
    return { problem: problem(status, `The upstream ${upstream} responded ${status}`, null) }
  return errorWithMessage(response, body ?? {}, bounded(message))
}

/** The exception of Bedrock that a rejected signature or credential causes, in a header or the body. */
const CREDENTIAL_ERRORS =
  /InvalidSignature|SignatureDoesNotMatch|UnrecognizedClient|ExpiredToken|InvalidClientTokenId|IncompleteSignature|MissingAuthenticationToken/i

/** AWS names the role, the account and the signed headers of a request that it rejects. */
const NAMES_CREDENTIALS = /arn:aws|x-amz-|security token/i

const concernsCredentials = (
  { status, headers, text, key }: ErrorResponse,
  body: JsonObject | undefined,
): boolean => {
  if (status === 401 || status === 407) return true
  if (key !== undefined && text.includes(key)) return true
  if (status !== 403 && status !== 400) return false
  const exception = `${headers['x-amzn-errortype'] ?? ''} ${stringOf(body?.__type)}`
  return CREDENTIAL_ERRORS.test(exception) || (status === 403 && NAMES_CREDENTIALS.test(text))
}

/** Whether clients find every field that they expect. */
const isComplete = (api: ModelApi, { type, error }: JsonObject): boolean => {
  if (!isObject(error) || typeof error.message !== 'string') return false
  if (isAnthropic(api)) return type === 'error' && typeof error.type === 'string'
  return 'type' in error && 'param' in error && 'code' in error
}

/** The upstream's error with the fields that it lacks. */
const errorWithMessage = ({ api, status }: ErrorResponse, body: JsonObject, message: string): ClientError => {
  const { error } = body
  const named = isObject(error) ? error : {}
  const full: ModelProblem = {
    status,
    message,
    code: stringOf(named.code) || null,
    type: stringOf(named.type) || null,
    param: stringOf(named.param) || null,
  }
  if (isAnthropic(api) || !isObject(error)) return { problem: full }
  const fields = { ...openAiErrorFields(full), ...withoutNulls(error), message }
  return { status, text: JSON.stringify({ ...body, error: fields, message }) }
}

const withoutNulls = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))

/** The message of an error in the forms of OpenAI, Anthropic, AWS, vLLM, FastAPI, GraphQL and Azure. */
const messageIn = (body: JsonObject | undefined): string | undefined => {
  if (body === undefined) return undefined
  const { error } = body
  const found = [
    isObject(error) ? error.message : error,
    body.message,
    body.Message,
    body.detail,
    detailsOf(body.detail),
    isObject(body.detail) ? body.detail.message : undefined,
    body.title,
    objectsIn(body.errors)[0]?.message,
    isObject(error) ? error.type : undefined,
  ]
  return found.find(isText)
}

const isText = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value.trim() !== ''

/** FastAPI's list of fields that are not valid. */
const detailsOf = (detail: JsonValue | undefined): string =>
  objectsIn(detail)
    .slice(0, MOST_DETAILS)
    .map(({ loc, msg }) =>
      [Array.isArray(loc) ? loc.join('.') : '', stringOf(msg)].filter(Boolean).join(': '),
    )
    .join('; ')

const MOST_DETAILS = 5

/** Of an error page: its title, else its text. */
const plainText = (text: string): string | undefined => {
  const start = text.slice(0, MAX_PAGE)
  if (parseObject(start) !== undefined) return undefined
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(start)?.[1]
  const isPage = /^\s*<(?:!doctype|html|\?xml|head|body|h1)/i.test(start)
  const words = isPage
    ? (title ?? start.replace(/<(style|script)[\s\S]*?<\/\1>/gi, '').replace(/<[^>]*>/g, ' '))
    : start
  const spaced = words.replace(/\s+/g, ' ').trim()
  return spaced === '' ? undefined : spaced
}

/** In characters. */
const MAX_PAGE = 4_096

const MAX_MESSAGE = 2_000

const bounded = (message: string): string =>
  message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`
