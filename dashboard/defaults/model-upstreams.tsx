import { fieldErrorOf } from '../api/errors.ts'
import { useQuery } from '../api/hooks.ts'
import type { Upstreams } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { RowButton } from '../parts/controls.tsx'
import { SuggestField, TextField } from '../parts/fields.tsx'
import { checkUpstreamName } from '../parts/name-rules.ts'

/** An upstream of a model as it is edited; `key` tells rows apart. */
export interface UpstreamRowDraft {
  readonly key: number
  readonly upstream: string
  /** The model's name at the upstream; empty: its id. */
  readonly model: string
}

/** An error of the whole row is shown at its first field. */
const upstreamErrorOf = (error: Error | undefined, index: number): string | undefined => {
  const row = `upstreams[${index}]`
  return fieldErrorOf(error, `${row}.model`) === undefined ? fieldErrorOf(error, row) : undefined
}

interface ModelUpstreamsProps {
  readonly rows: readonly UpstreamRowDraft[]
  readonly error: Error | undefined
  onRows(rows: readonly UpstreamRowDraft[]): void
}

/** The upstreams of a model, in the order in which they are tried. */
export const ModelUpstreams = ({ rows, error, onRows }: ModelUpstreamsProps) => {
  const { api } = useSession()
  const { data } = useQuery((signal) => api.get<Upstreams>('api/upstreams', {}, signal), [])
  const names = data?.items.map(({ name }) => name) ?? []
  const change = (key: number, changes: Partial<UpstreamRowDraft>) =>
    onRows(rows.map((row) => (row.key === key ? { ...row, ...changes } : row)))
  const nextKey = Math.max(0, ...rows.map(({ key }) => key)) + 1
  return (
    <fieldset class="model-prices">
      <legend>Upstreams, in the order in which they are tried</legend>
      {rows.map(({ key, upstream, model }, index) => (
        <div class="model-upstream" key={key}>
          <SuggestField
            label={`Upstream ${index + 1}`}
            value={upstream}
            required
            suggestions={names}
            check={checkUpstreamName}
            error={upstreamErrorOf(error, index)}
            onValue={(value) => change(key, { upstream: value })}
          />
          <TextField
            label="Model there"
            value={model}
            hint="blank: the same id"
            error={fieldErrorOf(error, `upstreams[${index}].model`)}
            onValue={(value) => change(key, { model: value })}
          />
          <RowButton
            action="Remove"
            name={`upstream ${index + 1}`}
            onClick={() => onRows(rows.filter((row) => row.key !== key))}
          />
        </div>
      ))}
      <button
        class="button small"
        type="button"
        onClick={() => onRows([...rows, { key: nextKey, upstream: '', model: '' }])}
      >
        Add an upstream
      </button>
      {rows.length === 0 && <p class="field-hint">None: the upstream default, or the simulated model.</p>}
    </fieldset>
  )
}
