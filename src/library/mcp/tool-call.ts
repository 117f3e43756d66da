/*
 * Calls of tools, as far as limits read them. The shapes are those of `@modelcontextprotocol/sdk`, which is not imported: it and
 * its schema library are the server's own.
 */

/** What the SDK passes to a handler beside the arguments. */
export interface ToolCallExtra {
  /** The session of the transport. HTTP servers without sessions, and stdio, have none. */
  readonly sessionId?: string | undefined
  /** The access token, if the server requires one. */
  readonly authInfo?: ToolCallAuth | undefined
  /** Of a call over HTTP. */
  readonly requestInfo?: object | undefined
}

/** A validated access token. */
export interface ToolCallAuth {
  readonly clientId: string
  readonly scopes?: readonly string[]
  readonly extra?: Readonly<Record<string, unknown>>
}

/** A call of a tool. */
export interface ToolCall {
  readonly tool: string
  /** The validated arguments; undefined for a tool without. */
  readonly args: unknown
  /**
   * The session: of the transport; on stdio and in memory, where a server has one client, that of the server. Undefined over HTTP
   * without sessions.
   */
  readonly session: string | undefined
  readonly auth: ToolCallAuth | undefined
  readonly extra: ToolCallExtra
}

/** A server on which tools are registered, such as `McpServer`. */
export interface ToolServer {
  registerTool(name: string, config: never, handler: never): unknown
}

/** The name of callers without a token. */
const ANONYMOUS = 'anonymous'

/** The client of the access token; all calls without a token share one key. */
export const byClientId = ({ auth }: ToolCall): string => auth?.clientId || ANONYMOUS

/**
 * The user of the access token: `sub` of its `extra`, which the server's token verifier sets. Without it, as `byClientId`.
 *
 * @example
 * createToolLimits({ limits, key: byTokenSubject })
 */
export const byTokenSubject = (call: ToolCall): string => {
  const subject = call.auth?.extra?.sub
  return typeof subject === 'string' && subject !== '' ? subject : byClientId(call)
}
