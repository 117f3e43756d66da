import { masked } from '../../src/core/model/key.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { isLoopback } from '../../src/http/client/loopback.ts'
import type { Settings } from '../settings/settings.ts'
import { isPublished } from './file-entity.ts'
import type { FileKey } from './read-api-keys.ts'

/** As long as a secret must be that is given over HTTP. */
const HARD_TO_GUESS = 16

/** Warns of keys that are known to everyone, or short, where others than this machine can reach the API. */
export const warnOfGuessable = (
  keys: readonly Pick<FileKey, 'secret'>[],
  { host }: Pick<Settings, 'host'>,
  logger: Logger,
): void => {
  if (isLoopback(host)) return
  const guessable = keys.filter(({ secret }) => isPublished(secret) || secret.length < HARD_TO_GUESS)
  if (guessable.length === 0) return
  logger.warn('API keys of the file are easy to guess', {
    keys: guessable.map(({ secret }) => masked(secret)),
  })
}
