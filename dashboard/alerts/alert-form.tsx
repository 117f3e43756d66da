import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { fieldErrorOf, isFieldError } from '../api/errors.ts'
import { useAction, useQuery } from '../api/hooks.ts'
import type { Alert, Policies, Policy } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { Dialog, FormActions } from '../parts/dialog.tsx'
import { ChoiceField, EntityField, RequiredNote, SuggestField, TextField } from '../parts/fields.tsx'
import { checkAlertName, checkId, checkLimitName } from '../parts/name-rules.ts'
import { ErrorNotice } from '../parts/notices.tsx'
import {
  type AlertDraft,
  alertBody,
  alertDraftOf,
  checkShares,
  NEW_ALERT,
  OBSERVED,
  RECEIVERS,
} from './alert-draft.ts'

interface AlertFormProps {
  /** Undefined for a new alert. */
  readonly alert: Alert | undefined
  onSaved(): void
  onClose(): void
}

const FIELDS = [
  'name',
  'entity_id',
  'policy',
  'limit_name',
  'shares',
  'webhook.url',
  'webhook.secret',
  'sns_topic_arn',
]

/** Adds an alert, or edits one. */
export const AlertForm = ({ alert, onSaved, onClose }: AlertFormProps) => {
  const { api } = useSession()
  const [draft, setDraft] = useState(alert ? alertDraftOf(alert) : NEW_ALERT)
  const saving = useAction(() => api.send('PUT', pathOf('api/alerts', draft.name.trim()), alertBody(draft)))
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (await saving.run()) onSaved()
  }
  const fields = {
    draft,
    error: saving.error,
    onChange: (changes: Partial<AlertDraft>) => {
      saving.clear()
      setDraft({ ...draft, ...changes })
    },
  }
  return (
    <Dialog title={alert ? `Edit ${alert.name}` : 'Add an alert'} onClose={onClose}>
      <form class="dialog-form" onSubmit={submit}>
        <RequiredNote />
        <TextField
          label="Name"
          value={draft.name}
          required
          disabled={alert !== undefined}
          placeholder="budgets"
          check={checkAlertName}
          error={fieldErrorOf(saving.error, 'name')}
          onValue={(name) => fields.onChange({ name })}
        />
        <ObservedFields {...fields} />
        <ReceiverFields {...fields} />
        <ErrorNotice error={isFieldError(saving.error, FIELDS) ? undefined : saving.error} />
        <FormActions submit={alert ? 'Save' : 'Add'} isRunning={saving.isRunning} onCancel={onClose} />
      </form>
    </Dialog>
  )
}

interface FieldsProps {
  readonly draft: AlertDraft
  readonly error: Error | undefined
  onChange(changes: Partial<AlertDraft>): void
}

const ObservedFields = ({ draft, error, onChange }: FieldsProps) => (
  <>
    <div class="fields">
      <ChoiceField
        label="Limits of"
        value={draft.observed}
        options={OBSERVED}
        onValue={(value) =>
          onChange({ observed: OBSERVED.find(([each]) => each === value)?.[0] ?? draft.observed })
        }
      />
      {draft.observed === 'entity' && (
        <EntityField
          label="Entity"
          value={draft.entityId}
          required
          check={checkId}
          error={fieldErrorOf(error, 'entity_id')}
          onValue={(entityId) => onChange({ entityId })}
        />
      )}
      {draft.observed === 'policy' && <PolicyField draft={draft} error={error} onChange={onChange} />}
    </div>
    <div class="fields">
      <TextField
        label="Limit"
        value={draft.limitName}
        placeholder="usd_month"
        check={checkLimitName}
        error={fieldErrorOf(error, 'limit_name')}
        hint="blank: every limit"
        onValue={(limitName) => onChange({ limitName })}
      />
      <TextField
        label="Shares in percent"
        value={draft.shares}
        check={checkShares}
        error={fieldErrorOf(error, 'shares')}
        hint="separated by commas; blank: 80, 100"
        onValue={(shares) => onChange({ shares })}
      />
    </div>
  </>
)

/** The policy as in its path: `USER_MODEL/ann/gpt-4`. */
const pathOfPolicy = ({ scope, selector, user, model }: Policy): string =>
  `${scope}/${user === undefined ? selector : `${user}/${model}`}`

const PolicyField = ({ draft, error, onChange }: FieldsProps) => {
  const { api } = useSession()
  const { data } = useQuery((signal) => api.get<Policies>('api/policies', {}, signal), [])
  return (
    <SuggestField
      label="Policy"
      value={draft.policy}
      required
      placeholder="TENANT/acme"
      suggestions={data?.items.map(pathOfPolicy) ?? []}
      error={fieldErrorOf(error, 'policy')}
      hint="its scope and its selector"
      onValue={(policy) => onChange({ policy })}
    />
  )
}

const ReceiverFields = ({ draft, error, onChange }: FieldsProps) => (
  <>
    <ChoiceField
      label="Sent to"
      value={draft.receiver}
      options={RECEIVERS}
      onValue={(value) =>
        onChange({ receiver: RECEIVERS.find(([each]) => each === value)?.[0] ?? draft.receiver })
      }
    />
    {draft.receiver === 'webhook' ? (
      <>
        <TextField
          label="URL"
          value={draft.url}
          required
          placeholder="https://hooks.example.com/zael"
          error={fieldErrorOf(error, 'webhook.url')}
          hint="https, to a public address unless a setting allows others; viewers can read it"
          onValue={(url) => onChange({ url })}
        />
        <TextField
          label="Secret"
          value={draft.secret}
          required
          placeholder="env:ALERT_SECRET_OPS"
          error={fieldErrorOf(error, 'webhook.secret')}
          hint="a reference, never the secret: env:ALERT_SECRET_…, or the ARN of a secret"
          onValue={(secret) => onChange({ secret })}
        />
      </>
    ) : (
      <TextField
        label="Topic ARN"
        value={draft.topicArn}
        required
        placeholder="arn:aws:sns:eu-central-1:123456789012:alerts"
        error={fieldErrorOf(error, 'sns_topic_arn')}
        hint="a standard topic that the deployment allows"
        onValue={(topicArn) => onChange({ topicArn })}
      />
    )}
  </>
)
