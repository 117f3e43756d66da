import { useState } from 'preact/hooks'
import type { Explanation } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { fieldErrorOf, isAtField } from '../../api/field-error.ts'
import { useSession } from '../../api/session.tsx'
import { useAction } from '../../api/use-action.ts'
import { sizeText } from '../../limits/limit-text.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { ChoiceField, NumberField, RequiredNote } from '../../parts/field.tsx'
import { ErrorNotice } from '../../parts/notice.tsx'
import { isMoney, MICROS_PER_DOLLAR } from '../../parts/numbers/amount-text.ts'
import { isPaused } from '../../parts/numbers/load.ts'
import type { LimitDialogProps } from './limit-actions.tsx'

/** The limits that can hold more: one that is paused holds nothing. */
export const toppable = ({ limits }: Explanation): Explanation['limits'] =>
  limits.filter(({ winner }) => !isPaused(winner.capacity))

/** Gives more for now: an amount of one limit, never beyond its capacity. */
export const TopUp = ({ entityId, explained, onDone, onClose }: LimitDialogProps) => {
  const { api } = useSession()
  const { resource } = explained
  const limits = toppable(explained)
  const [name, setName] = useState(limits[0]?.name ?? '')
  const [amount, setAmount] = useState('')
  const takesDollars = isMoney(limits.find((limit) => limit.name === name)?.winner.meter)
  const giving = useAction(() =>
    api.send('POST', pathOf('api/limits', entityId, 'top-up'), {
      resource,
      limit_name: name,
      amount: takesDollars ? Math.round(Number(amount) * MICROS_PER_DOLLAR) : Number(amount),
    }),
  )
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (await giving.run()) onDone()
  }
  return (
    <Dialog title={`Top up ${entityId}`} onClose={onClose}>
      <form class="dialog-form" onSubmit={submit}>
        <p>Refunds some of what was used on {resource}, up to the capacity.</p>
        <RequiredNote />
        <div class="fields">
          <ChoiceField
            label="Limit"
            value={name}
            options={limits.map((limit) => [limit.name, `${limit.name}: ${sizeText(limit.winner)}`] as const)}
            error={fieldErrorOf(giving.error, 'limit_name')}
            onValue={setName}
          />
          <NumberField
            label={takesDollars ? 'Amount, US dollars' : 'Amount'}
            value={amount}
            required
            min={takesDollars ? 0.000001 : 1}
            step={takesDollars ? 0.000001 : 1}
            error={fieldErrorOf(giving.error, 'amount')}
            onValue={setAmount}
          />
        </div>
        <ErrorNotice error={isAtField(giving.error, ['limit_name', 'amount']) ? undefined : giving.error} />
        <div class="actions">
          <button class="button" type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary" type="submit" disabled={giving.isRunning}>
            Top up
          </button>
        </div>
      </form>
    </Dialog>
  )
}
