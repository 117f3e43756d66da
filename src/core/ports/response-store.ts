/** A response of `/v1/responses` that later requests may continue. */
export interface KeptModelResponse {
  /** Only its requests may continue it. */
  readonly entityId: string
  /** The id that the upstream gave. */
  readonly id: string
  /** Input and output tokens: the upstream counts both as the prompt of a request that continues it. */
  readonly tokens: number
  /** ns since the epoch */
  readonly expiresAt: bigint
}

/** The ids of responses, per entity. Every adapter passes `test/store/response-store-suite.ts`. */
export interface ResponseStore {
  /** Throws `StoreUnavailable`. */
  keep(response: KeptModelResponse): Promise<void>
  /** The tokens of a kept response; undefined if the entity has none of this id at `now`. Throws `StoreUnavailable`. */
  tokensOf(entityId: string, id: string, now: bigint): Promise<number | undefined>
}
