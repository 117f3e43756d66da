import type { Command } from 'commander'
import type * as v from 'valibot'
import { ownLimitsResponse } from '../../src/contract/checks.ts'
import { sessionResponse } from '../../src/contract/dashboard.ts'
import type { ApiClient } from '../api/client.ts'
import { CliError } from '../failure.ts'
import { fieldsText } from '../output/table.ts'
import type { Session } from '../session.ts'
import { examples } from './common.ts'

/** Whose token it is. */
export type Identity =
  | ({ readonly kind: 'admin' | 'viewer' } & Omit<v.InferOutput<typeof sessionResponse>, 'role'>)
  | { readonly kind: 'caller'; readonly entity_id: string }

/** The identity of the token. A caller's key is rejected where administrators read, with 403. */
export const identityOf = async (api: ApiClient): Promise<Identity> => {
  try {
    const request = { path: ['api', 'dashboard', 'session'] }
    const { role, ...rest } = await api.request(request, sessionResponse)
    return { kind: role, ...rest }
  } catch (error) {
    if (!(error instanceof CliError && error.code === 'forbidden')) throw error
  }
  const { entity_id } = await api.request({ path: ['v1', 'limits'] }, ownLimitsResponse)
  return { kind: 'caller', entity_id }
}

/** `zael whoami`. */
export const defineWhoami = (whoami: Command, session: Session): void => {
  whoami
    .addHelpText('after', examples('zael whoami', 'zael whoami --token-file key.txt --json'))
    .action(async () => {
      const api = await session.api()
      const { kind, ...rest } = await identityOf(api)
      const identity = { url: api.url, role: kind, ...rest }
      session.print(identity, () => fieldsText(identity, session.style))
    })
}
