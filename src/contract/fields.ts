import * as v from 'valibot'
import {
  CHARGED_PATTERN,
  CHARGED_RULE,
  ID_PATTERN,
  ID_RULE,
  MODEL_ID_PATTERN,
  MODEL_ID_RULE,
  RESOURCE_PATTERN,
  RESOURCE_RULE,
} from '../core/model/entity.ts'
import type { Meter } from '../core/model/meter.ts'
import { closedObject } from './containers.ts'
import { describedAs } from './json-schema.ts'

export const id = v.pipe(v.string(), v.regex(ID_PATTERN, ID_RULE))

export const modelId = v.pipe(v.string(), v.regex(MODEL_ID_PATTERN, MODEL_ID_RULE))

export const resource = v.pipe(v.string(), v.regex(RESOURCE_PATTERN, RESOURCE_RULE))

/** A resource that a request can be charged to. */
export const chargedResource = v.pipe(v.string(), v.regex(CHARGED_PATTERN, CHARGED_RULE))

export const idParam = v.object({ id })

export const modelIdParam = v.object({ id: modelId })

export const keyParams = v.object({ id, key_id: id })

export const resourceQuery = v.object({ resource: v.exactOptional(resource) })

const LONGEST_NAME = 256

/** The name of a user or a session. */
export const requestName = v.pipe(v.string(), v.nonEmpty('not be empty'), v.maxLength(LONGEST_NAME))

/** A request on a resource, of a user and a session. */
export const requestQuery = v.object({
  ...resourceQuery.entries,
  user: v.exactOptional(v.pipe(requestName, v.description('The user that the request names'))),
  session: v.exactOptional(v.pipe(requestName, v.description('The session that the request names'))),
})

const MOST_PER_PAGE = 1000

export const DEFAULT_PER_PAGE = 50

/** An integer in JSON. */
export const integer = (least: number, most: number, must = `be an integer from ${least} to ${most}`) =>
  v.pipe(v.number(must), v.integer(must), v.minValue(least, must), v.maxValue(most, must))

/** A number in JSON. */
export const numberFrom = (least: number, most: number, must = `be a number from ${least} to ${most}`) =>
  v.pipe(v.number(must), v.minValue(least, must), v.maxValue(most, must))

/** 0, or a number within bounds. */
export const zeroOr = (least: number, most: number, must: string) =>
  v.union([v.literal(0, must), numberFrom(least, most, must)], must)

/** A field that may be left out, or be null. */
export const optionalOrNull = <S extends v.GenericSchema>(schema: S) => v.exactOptional(v.nullable(schema))

/** An integer in a query, which is text; the OpenAPI document describes it as a number. */
export const wholeNumber = (least: number, most: number) => {
  const must = `be an integer from ${least} to ${most}`
  const digits = describedAs(
    v.check<string, string>((text) => /^\d{1,16}$/.test(text), must),
    { type: 'integer', minimum: least, maximum: most },
  )
  return v.pipe(v.string(), digits, v.transform(Number), v.minValue(least, must), v.maxValue(most, must))
}

const LATEST_SECOND = 253_402_300_799

/** Seconds since the epoch, in a query. */
export const momentQuery = wholeNumber(0, LATEST_SECOND)

/** Seconds since the epoch, in a body. */
export const moment = v.pipe(
  v.number(),
  v.minValue(0),
  v.maxValue(LATEST_SECOND, 'be a number of seconds since the epoch'),
)

const LONGEST_CURSOR = 2048

const LONGEST_SEARCH = 256

export const pageQuery = v.object({
  limit: v.exactOptional(wholeNumber(1, MOST_PER_PAGE)),
  cursor: v.exactOptional(v.pipe(v.string(), v.maxLength(LONGEST_CURSOR))),
})

export const searchQuery = v.object({
  ...pageQuery.entries,
  q: v.exactOptional(v.pipe(v.string(), v.maxLength(LONGEST_SEARCH))),
})

export const nextCursor = v.nullable(v.string())

/** Seconds since the epoch, in a response. */
export const seconds = v.pipe(v.number(), v.integer())

const amount = integer(0, Number.MAX_SAFE_INTEGER, 'be a whole number of at least 0')

/** Amounts by meter. */
export const costBody = v.pipe(
  closedObject({
    requests: v.exactOptional(amount),
    tokens: v.exactOptional(v.pipe(amount, v.description('Default: input + output tokens'))),
    input_tokens: v.exactOptional(amount),
    output_tokens: v.exactOptional(amount),
    cost_usd_micros: v.exactOptional(amount),
  } satisfies Record<Meter, v.GenericSchema>),
  v.metadata({ ref: 'Cost' }),
)
