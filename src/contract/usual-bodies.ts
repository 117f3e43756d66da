import { CHARGED_PATTERN } from '../core/model/entity.ts'
import { isMeter } from '../core/model/meter.ts'

/*
 * Hand-written checks of the bodies that hot routes receive most. Each accepts a part of what its schema accepts; the schema
 * checks all others, and finds the error.
 */

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isWhole = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most

/** A check with `cost`, `resource`, `dry_run` and `reserve` at most. */
export const isUsualCheck = (value: unknown): boolean => {
  if (!isObject(value)) return false
  for (const field in value) if (!isUsualCheckField(field, value[field])) return false
  return true
}

const isUsualCheckField = (field: string, value: unknown): boolean => {
  if (field === 'cost') return isUsualCost(value)
  if (field === 'resource') return typeof value === 'string' && CHARGED_PATTERN.test(value)
  return (field === 'dry_run' || field === 'reserve') && typeof value === 'boolean'
}

const isUsualCost = (value: unknown): boolean => {
  if (!isObject(value)) return false
  for (const meter in value)
    if (!isMeter(meter) || !isWhole(value[meter], 0, Number.MAX_SAFE_INTEGER)) return false
  return true
}

/** The bounds of a chat, which its schema states. */
export interface ChatBounds {
  readonly mostMessages: number
  readonly mostTokens: number
}

/** A chat with text messages, and of the fields that its schema checks, the most common ones. Other fields may be anything. */
export const createUsualChat =
  (bounds: ChatBounds) =>
  (value: unknown): boolean => {
    if (!isObject(value) || !Object.hasOwn(value, 'messages')) return false
    for (const field in value) if (!isUsualChatField(field, value[field], bounds)) return false
    return true
  }

const isUsualChatField = (
  field: string,
  value: unknown,
  { mostMessages, mostTokens }: ChatBounds,
): boolean => {
  switch (field) {
    case 'messages':
      return (
        Array.isArray(value) &&
        value.length > 0 &&
        value.length <= mostMessages &&
        value.every(isUsualMessage)
      )
    case 'model':
      return typeof value === 'string' && value !== ''
    case 'max_tokens':
    case 'max_completion_tokens':
      return isWhole(value, 1, mostTokens)
    case 'stream':
      return typeof value === 'boolean'
    case 'user':
    case 'session':
      return typeof value === 'string'
    default:
      return !RARE_FIELDS.has(field)
  }
}

/** Fields of a chat that only its schema checks. */
const RARE_FIELDS: ReadonlySet<string> = new Set([
  'n',
  'stream_options',
  'temperature',
  'top_p',
  'stop',
  'tools',
])

const isUsualMessage = (value: unknown): boolean => {
  if (!isObject(value)) return false
  const { role, content, name } = value
  return (
    Object.hasOwn(value, 'role') &&
    typeof role === 'string' &&
    role !== '' &&
    (typeof content === 'string' || content === null) &&
    (name === undefined || typeof name === 'string')
  )
}
