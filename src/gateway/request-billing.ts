import type { JsonObject, JsonValue } from '../core/model/json.ts'
import {
  type CacheWrites,
  countsCacheWrites,
  dependsOnRequest,
  type Prices,
  type ServiceTier,
} from '../core/model/prices.ts'
import type { ModelRequest, RequestBilling } from '../core/ports/model-backend.ts'
import { tierOf } from './apis/usage.ts'
import { wireApis } from './apis/wire-apis.ts'
import { isObject, objectsIn } from './json-values.ts'
import type { CollectedPrompt } from './prompt/collected-prompt.ts'

/** What the price of a request depends on, beside the tokens of its prompt; undefined: on nothing else. */
export const billingOf = (
  request: ModelRequest,
  { images, audioSeconds }: Pick<CollectedPrompt, 'images' | 'audioSeconds'>,
): RequestBilling | undefined => {
  const { prices, tokenWeights } = request.model
  const isPriced = prices !== null && dependsOnRequest(prices)
  if (!isPriced && (tokenWeights === null || !countsCacheWrites(tokenWeights))) return undefined
  return {
    cacheWrites: cacheWritesOf(request),
    tiers: tiersOf(request.body, prices),
    imagesSent: prices?.perImage ? images : 0,
    imagesAsked: imagesAsked(request, prices),
    audioSeconds,
  }
}

const STANDARD: readonly ServiceTier[] = ['standard']

/** `auto`: the provider decides. Where none is named, it is the project's default, which is the standard one unless changed. */
const tiersOf = ({ service_tier: named }: JsonObject, prices: Prices | null): readonly ServiceTier[] => {
  if (!prices?.serviceTiers) return STANDARD
  const tier = tierOf(named)
  if (tier !== undefined) return [tier]
  return named === 'auto' ? ['standard', 'priority'] : STANDARD
}

/**
 * Anthropic writes to its cache only if the request asks for it. Providers behind the other APIs may do so by themselves.
 */
const cacheWritesOf = ({ api, body }: ModelRequest): CacheWrites => {
  const asked = askedIn(body)
  return asked === 'none' && api !== 'messages' ? 'minutes' : asked
}

const MINUTES = '5m'

/** The longest that a `cache_control` anywhere in the body asks for. A body has a bounded number of values and levels. */
const askedIn = (value: JsonValue | undefined): CacheWrites => {
  if (typeof value !== 'object' || value === null) return 'none'
  let asked = Array.isArray(value) ? 'none' : askedBy(value)
  for (const part of Object.values(value)) asked = longer(asked, askedIn(part))
  return asked
}

const askedBy = ({ cache_control }: object & { readonly cache_control?: JsonValue }): CacheWrites => {
  if (!isObject(cache_control)) return 'none'
  const { ttl = MINUTES } = cache_control
  return ttl === MINUTES ? 'minutes' : 'hour'
}

const LIFETIMES: readonly CacheWrites[] = ['none', 'minutes', 'hour']

const longer = (a: CacheWrites, b: CacheWrites): CacheWrites =>
  LIFETIMES.indexOf(b) > LIFETIMES.indexOf(a) ? b : a

/** One for each choice of a chat whose output may be images, and one of a tool that generates them. */
const imagesAsked = ({ api, body }: ModelRequest, prices: Prices | null): number => {
  if (!prices?.perImage) return 0
  const { modalities, tools } = body
  const isAsked =
    (Array.isArray(modalities) && modalities.includes('image')) ||
    objectsIn(tools).some(({ type }) => type === 'image_generation')
  return isAsked ? wireApis[api].choices(body) : 0
}
