import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { useQuery } from '../api/hooks.ts'
import type { ApiKey, ApiKeys } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { RowButton } from '../parts/controls.tsx'
import { EmptyState, ErrorNotice, NextStep } from '../parts/notices.tsx'
import { momentText } from '../parts/time.ts'
import { CreateKey, expiryText, RevokeKey, RotateKey } from './key-dialogs.tsx'

type OpenDialog = 'create' | { readonly act: 'rotate' | 'revoke'; readonly apiKey: ApiKey }

/** The API keys of an entity. */
export const KeysSection = ({ entityId }: { readonly entityId: string }) => {
  const { api, mayWrite } = useSession()
  const [open, setOpen] = useState<OpenDialog | undefined>(undefined)
  const result = useQuery(
    (signal) => api.get<ApiKeys>(pathOf('api/entities', entityId, 'keys'), {}, signal),
    [entityId],
  )
  const dialog = {
    entityId,
    onClose: () => setOpen(undefined),
    onChanged: result.reload,
  }
  return (
    <section class="card" aria-label="Keys">
      <div class="card-head">
        <h2>Keys</h2>
        {mayWrite && (
          <button class="button" type="button" onClick={() => setOpen('create')}>
            Create a key
          </button>
        )}
      </div>
      <ErrorNotice error={result.error} />
      {!result.data && !result.error && <p class="quiet">Loading…</p>}
      {result.data && <KeyList items={result.data.items} onOpen={setOpen} />}
      {open === 'create' && <CreateKey {...dialog} />}
      {typeof open === 'object' && open.act === 'rotate' && <RotateKey {...dialog} apiKey={open.apiKey} />}
      {typeof open === 'object' && open.act === 'revoke' && <RevokeKey {...dialog} apiKey={open.apiKey} />}
    </section>
  )
}

interface ListProps {
  readonly items: readonly ApiKey[]
  onOpen(open: OpenDialog): void
}

const KeyList = ({ items, onOpen }: ListProps) => {
  if (items.length === 0)
    return (
      <EmptyState title="No keys yet">
        <NextStep
          writer="Create a key to call the API as this entity."
          viewer="An administrator can create one."
        />
      </EmptyState>
    )
  return (
    <ul class="limit-list">
      {items.map((apiKey) => (
        <KeyRow key={apiKey.key_id} apiKey={apiKey} onOpen={onOpen} />
      ))}
    </ul>
  )
}

const TAGS = { active: 'good', expired: 'warn', revoked: 'bad' } as const

const KeyRow = ({ apiKey, onOpen }: { readonly apiKey: ApiKey; onOpen(open: OpenDialog): void }) => {
  const { mayWrite } = useSession()
  const { name, masked_secret, created_at, key_id } = apiKey
  const status = statusOf(apiKey, Date.now() / 1000)
  const label = name || key_id
  return (
    <li class="key">
      <div class="key-name">
        <p>
          <strong>{name || 'unnamed'}</strong> <span class={`tag ${TAGS[status]}`}>{status}</span>
        </p>
        <p class="quiet small mono">{masked_secret}</p>
      </div>
      <div class="small">
        <p>{expiryText(apiKey)}</p>
        <p class="quiet">created {momentText(created_at)}</p>
      </div>
      {mayWrite && status === 'active' && (
        <div class="actions">
          <RowButton action="Rotate" name={label} onClick={() => onOpen({ act: 'rotate', apiKey })} />
          <RowButton
            action="Revoke"
            name={label}
            isDangerous
            onClick={() => onOpen({ act: 'revoke', apiKey })}
          />
        </div>
      )}
    </li>
  )
}

/** The status of a key at `now`, in seconds since the epoch. */
export const statusOf = (
  { status, expires_at: expiresAt }: Pick<ApiKey, 'status' | 'expires_at'>,
  now: number,
): 'active' | 'expired' | 'revoked' =>
  status === 'active' && expiresAt !== null && expiresAt <= now ? 'expired' : status
