import { setTimeout as pause } from 'node:timers/promises'
import { StartError } from '../../src/command-line/failure.ts'
import type { Tokens } from '../../src/compose/zael.ts'
import { errorMessage } from '../../src/core/model/errors.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { systemClock } from '../../src/platform/runtime.ts'
import { createSecretValues } from '../../src/platform/secrets.ts'
import { settingMistakes } from '../../src/settings/read-settings.ts'
import type { Environment } from '../../src/settings/settings.ts'

/** Tokens that may change while the process runs. */
export interface TokenSource {
  /** The current tokens. Throws if they cannot be read or are not valid. */
  read(): Promise<Tokens>
}

/** The variable that contains each token, and the one that contains the ARN of its secret. */
const VARIABLES = {
  adminToken: ['ADMIN_TOKEN', 'ADMIN_TOKEN_SECRET_ARN'],
  viewerToken: ['VIEWER_TOKEN', 'VIEWER_TOKEN_SECRET_ARN'],
} as const

/**
 * The tokens in the environment, or in the secrets that it names. Undefined: no secret is named. Throws `StartError` if a token has neither or both.
 */
export const tokensOf = (environment: Environment, logger: Logger): TokenSource | undefined => {
  const mistakes = Object.values(VARIABLES).flatMap(([token, arn]) =>
    Boolean(environment[token]) === Boolean(environment[arn])
      ? [`${token} or ${arn} must be set${environment[token] ? ', and not both' : ''}`]
      : [],
  )
  if (mistakes.length > 0) throw new StartError(mistakes.join('; '))
  const given = Object.values(VARIABLES).map(([token, arn]) => ({
    text: environment[token],
    arn: environment[arn],
  }))
  const ids = given.flatMap(({ arn }) => (arn ? [arn] : []))
  if (ids.length === 0) return undefined
  const secrets = createSecretValues({ ids, fetch: readToken, maxAgeMs: 0, clock: systemClock, logger })
  return {
    async read() {
      const values = [...(await secrets.read())]
      const [adminToken = '', viewerToken = ''] = given.map(({ text, arn }) => (arn ? values.shift() : text))
      const mistakes = settingMistakes({ ADMIN_TOKEN: adminToken, VIEWER_TOKEN: viewerToken })
      if (mistakes.length > 0) throw new StartError(mistakes.join('; '))
      return { adminToken, viewerToken }
    },
  }
}

const readToken = async (arn: string): Promise<string> => {
  const { readSecret } = await import('../../src/platform/read-secret.ts')
  return readSecret(arn)
}

/** Reads tokens for the first time. Throws `StartError`, which contains the reason. */
export const firstTokens = (tokens: TokenSource): Promise<Tokens> =>
  tokens.read().catch((error: unknown) => {
    throw new StartError(`the tokens cannot be read from Secrets Manager: ${errorMessage(error)}`, {
      cause: error,
    })
  })

/** A token that is changed is accepted within 5 minutes. */
const REFRESH_MS = 240_000

export interface ServedTokens<Api> {
  readonly tokens: TokenSource
  readonly apiOf: (tokens: Tokens) => Api
  readonly logger: Logger
  /** Waits until the tokens are to be read again; a timer by default. */
  readonly wait?: (signal: AbortSignal) => Promise<unknown>
}

/** The API that accepts the current tokens. Requests that began before a change are completed by the API that they began with. */
export const serveTokens = async <Api>(options: ServedTokens<Api>) => {
  const { tokens, apiOf, logger } = options
  const { wait = (signal) => pause(REFRESH_MS, undefined, { signal, ref: false }) } = options
  let accepted = await firstTokens(tokens)
  let api = apiOf(accepted)
  const refresh = async (): Promise<void> => {
    const read = await tokens.read()
    if (read.adminToken === accepted.adminToken && read.viewerToken === accepted.viewerToken) return
    accepted = read
    api = apiOf(read)
    logger.info('tokens changed')
  }
  const stopping = new AbortController()
  const { signal } = stopping
  const watch = async (): Promise<void> => {
    for (await wait(signal); !signal.aborted; await wait(signal)) {
      await refresh().catch((error: unknown) =>
        logger.warn('tokens not read: the last ones remain valid', { error }),
      )
    }
  }
  watch().catch(() => {
    // only `stop` ends the waiting
  })
  return { current: () => api, stop: () => stopping.abort() }
}
