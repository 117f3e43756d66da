import type { Logger } from '../../core/ports/platform.ts'

/** A request as the middleware sees it, whatever the framework. */
export interface RequestFacts<Native = unknown> {
  readonly method: string
  /** The whole path, without the query, wherever the middleware is mounted: `/api/data`. */
  readonly path: string
  /** The path as the router routes it that the middleware is mounted on: `/data` in one that is mounted at `/api`. */
  readonly mountedPath?: string
  /** The address of the connection; `unknown` where the platform provides none. */
  readonly connection: string
  /** The address of the client according to the framework, where it trusts a proxy: Express's `req.ip`. */
  readonly clientAddress?: string | undefined
  /** The framework's own: Hono's `Context`, Express's `Request`. */
  readonly native: Native
  /** The middleware's. */
  readonly logger?: Logger
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
