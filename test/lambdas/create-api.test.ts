import { expect, test } from 'vitest'
import { readSettings } from '../../bin/settings/settings.ts'
import { SettingsError } from '../../bin/settings/settings-reader.ts'
import { createApi } from '../../lambdas/create-api.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'

const made = (environment: Readonly<Record<string, string>>) => () =>
  createApi({ settings: readSettings(environment), logger: silentLogger, metrics: noMetrics })

test.each(['API_KEYS_FILE', 'API_KEYS_JSON'])('refuses %s, and says what to do instead', (name) => {
  expect(made({ [name]: '{}' })).toThrow(
    new SettingsError([
      'API_KEYS_FILE and API_KEYS_JSON are for npm start: on Lambda make keys by POST /api/entities/{id}/keys',
    ]),
  )
})

test('is made without them', () => {
  expect(made({})).not.toThrow()
})
