import type { OnUnavailable } from '../../core/limit/limit.ts'
import type { Meter } from '../../core/limit/meter.ts'

interface LimitFields {
  /** `rpm`, `tpm`, …: 1 to 32 of a-z 0-9 _ that begin with a letter. */
  readonly name: string
  /** What it counts. Needed where the name is no usual one: `rps`, `rpm`, `rph`, `rpd` mean requests, `tpm` … tokens. */
  readonly meter?: Meter
  /** Default `strict`: what time has given back already is not given back again. */
  readonly refund?: 'strict' | 'full'
  /** What to answer while the store is away. */
  readonly on_unavailable?: OnUnavailable
}

/** `capacity` tokens, `refill_rate` more each second. */
export interface TokenBucketDefinition extends LimitFields {
  readonly algorithm?: 'token_bucket'
  readonly capacity: number
  readonly refill_rate: number
}

/** A limit as code states it: the JSON of the HTTP API. */
export type LimitDefinition = TokenBucketDefinition
