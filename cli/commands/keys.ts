import type { Command } from 'commander'
import type * as v from 'valibot'
import { type keyResponse, keysResponse, newKeyResponse } from '../../src/contract/keys.ts'
import { usageError } from '../failure.ts'
import { fieldsText } from '../output/table.ts'
import { timeText } from '../output/times.ts'
import type { Session } from '../session.ts'
import { durationSeconds, examples, given, moment, printList, printSent } from './common.ts'

type Key = v.InferOutput<typeof keyResponse>
type NewKey = v.InferOutput<typeof newKeyResponse>

interface CreateOptions {
  readonly name?: string
  readonly expiresAt?: number
  readonly expiresIn?: number
  readonly secretFile?: string
}

/** `zael keys`. */
export const defineKeys = (keys: Command, session: Session): void => {
  keys.addHelpText(
    'after',
    examples(
      'zael keys list key-ci',
      'zael keys create key-ci --name laptop --expires-in 90d',
      'zael keys create key-ci --json | jq -r .secret > key.txt',
      'zael keys rotate key-ci <key-id> --grace 1h',
      'zael keys delete key-ci <key-id> --yes',
    ),
  )
  keys
    .command('list')
    .description('List the keys of an entity; secrets are not stored and cannot be shown')
    .argument('<entity>')
    .action(async (entity: string) => {
      const api = await session.api()
      const items = await api.list({ path: pathOf(entity) }, keysResponse)
      printList(session, items, COLUMNS, 'no keys')
    })
  defineCreate(keys, session)
  defineRotate(keys, session)
  keys
    .command('delete')
    .alias('revoke')
    .description('Revoke a key')
    .argument('<entity>')
    .argument('<key-id>')
    .action(async (entity: string, key: string) => {
      const api = await session.api()
      await session.confirm(`Revoke the key ${key} of ${entity} at ${api.url}?`)
      await api.send({ method: 'DELETE', path: [...pathOf(entity), key] })
      printSent(session, `revoked ${key}`)
    })
}

const defineCreate = (keys: Command, session: Session): void => {
  keys
    .command('create')
    .description('Create a key, and print its secret, which cannot be shown again')
    .argument('<entity>')
    .option('--name <name>')
    .option('--expires-in <duration>', 'such as 90d or 12h', durationSeconds)
    .option('--expires-at <time>', 'as 2027-01-31T00:00:00Z, or seconds since the epoch', moment)
    .option('--secret-file <path>', 'use the secret in this file instead of a random one')
    .action(async (entity: string, options: CreateOptions) => {
      const body = await newKeyBody(session, options)
      const api = await session.api()
      showNew(session, await api.request({ method: 'POST', path: pathOf(entity), body }, newKeyResponse))
    })
}

const defineRotate = (keys: Command, session: Session): void => {
  keys
    .command('rotate')
    .description('Replace a key by a new one, and print its secret')
    .argument('<entity>')
    .argument('<key-id>')
    .option('--grace <duration>', 'how long the old key stays valid, such as 1h', durationSeconds)
    .action(async (entity: string, key: string, { grace }: { readonly grace?: number }) => {
      const api = await session.api()
      const body = given({ grace_seconds: grace })
      const path = [...pathOf(entity), key, 'rotate']
      showNew(session, await api.request({ method: 'POST', path, body }, newKeyResponse))
    })
}

const newKeyBody = async (
  { host }: Session,
  { name, expiresAt, expiresIn, secretFile }: CreateOptions,
): Promise<object> => {
  if (expiresAt !== undefined && expiresIn !== undefined)
    throw usageError('--expires-at and --expires-in cannot be combined')
  const soon = expiresIn === undefined ? undefined : Math.round(host.nowMs() / 1000) + expiresIn
  const secret = secretFile === undefined ? undefined : (await host.readFile(secretFile)).trim()
  return given({ name, expires_at: expiresAt ?? soon, secret })
}

const pathOf = (entity: string): readonly string[] => ['api', 'entities', entity, 'keys']

const COLUMNS = [
  { heading: 'KEY ID', cell: (key: Key) => key.key_id },
  { heading: 'NAME', cell: (key: Key) => key.name },
  { heading: 'SECRET', cell: (key: Key) => key.masked_secret },
  { heading: 'STATUS', cell: (key: Key) => key.status },
  { heading: 'EXPIRES', cell: (key: Key) => timeText(key.expires_at) },
  { heading: 'CREATED', cell: (key: Key) => timeText(key.created_at) },
]

const showNew = ({ print, style }: Session, key: NewKey): void =>
  print(key, () => {
    const { key_id, name, secret, expires_at } = key
    return fieldsText({ 'key id': key_id, name, secret, expires: timeText(expires_at) }, style)
  })
