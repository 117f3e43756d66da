/** A request as the middleware sees it, whatever the framework. */
export interface RequestFacts<Native = unknown> {
  readonly method: string
  /** As the client asked for it, without the query: `/api/data`. */
  readonly path: string
  /** The address of the connection; `unknown` where the platform tells none. */
  readonly connection: string
  /** The framework's own: Hono's `Context`, Express's `Request`. */
  readonly native: Native
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined
}

/** An answer as the middleware sees it. */
export interface AnswerFacts {
  readonly status: number
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined
  /** The body where it is JSON and of moderate size; undefined of any other, and of one that streams. */
  json(): Promise<unknown>
}
