import { useEffect, useState } from 'preact/hooks'
import type { WaitTime } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { fieldErrorOf, isAtField } from '../../api/field-error.ts'
import { useSession } from '../../api/session.tsx'
import { useAction } from '../../api/use-action.ts'
import { NumberField } from '../../parts/field.tsx'
import { ErrorNotice } from '../../parts/notice.tsx'
import { waitText } from './wait-text.ts'

interface Props {
  readonly entityId: string
  readonly resource: string
}

/** When a request of some size may pass. */
export const WaitTimeCalculator = ({ entityId, resource }: Props) => {
  const { api } = useSession()
  const [rpm, setRpm] = useState('1')
  const [tpm, setTpm] = useState('1000')
  const [answer, setAnswer] = useState<string | undefined>(undefined)
  useEffect(() => setAnswer(undefined), [entityId, resource])
  const asking = useAction(async () => {
    setAnswer(undefined)
    const path = pathOf('api/dashboard/wait-time', entityId)
    const asked = { rpm: rpm || undefined, tpm: tpm || undefined, resource }
    setAnswer(waitText(await api.get<WaitTime>(path, asked)))
  })
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    void asking.run()
  }
  return (
    <section class="card" aria-label="Wait time">
      <h2>How long would a request wait?</h2>
      <form class="wait-time" onSubmit={submit}>
        <NumberField
          label="Requests"
          value={rpm}
          min={0}
          error={fieldErrorOf(asking.error, 'rpm')}
          onValue={setRpm}
        />
        <NumberField
          label="Tokens"
          value={tpm}
          min={0}
          error={fieldErrorOf(asking.error, 'tpm')}
          onValue={setTpm}
        />
        <button class="button" type="submit" disabled={asking.isRunning}>
          Calculate
        </button>
        <output class="wait-answer">{answer}</output>
      </form>
      <ErrorNotice error={isAtField(asking.error, ['rpm', 'tpm']) ? undefined : asking.error} />
    </section>
  )
}
