import { pathOf } from '../api/api.ts'
import { fieldErrorOf } from '../api/errors.ts'
import { useQuery } from '../api/hooks.ts'
import type { Alert, Policies } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { ChoiceField, EntityField, RequiredNote, SuggestField, TextField } from '../parts/fields.tsx'
import { type DraftProps, FormDialog, useDraft } from '../parts/forms.tsx'
import type { ItemFormProps } from '../parts/item-section.tsx'
import { checkAlertName, checkId, checkLimitName } from '../parts/name-rules.ts'
import { keyOf, keyPath } from '../parts/policy-key.ts'
import {
  type AlertDraft,
  alertBody,
  alertDraftOf,
  checkShares,
  NEW_ALERT,
  OBSERVED,
  RECEIVERS,
} from './alert-draft.ts'

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
export const AlertForm = ({ item: alert, onSaved, onClose }: ItemFormProps<Alert>) => {
  const { api } = useSession()
  const { fields, action } = useDraft(alert ? alertDraftOf(alert) : NEW_ALERT, (draft) =>
    api.send('PUT', pathOf('api/alerts', draft.name.trim()), alertBody(draft)),
  )
  return (
    <FormDialog
      title={alert ? `Edit ${alert.name}` : 'Add an alert'}
      fieldNames={FIELDS}
      submit={alert ? 'Save' : 'Add'}
      action={action}
      onDone={onSaved}
      onClose={onClose}
    >
      <RequiredNote />
      <TextField
        label="Name"
        value={fields.draft.name}
        required
        disabled={alert !== undefined}
        placeholder="budgets"
        check={checkAlertName}
        error={fieldErrorOf(fields.error, 'name')}
        onValue={(name) => fields.onChange({ name })}
      />
      <ObservedFields {...fields} />
      <ReceiverFields {...fields} />
    </FormDialog>
  )
}

type FieldsProps = DraftProps<AlertDraft>

const ObservedFields = ({ draft, error, onChange }: FieldsProps) => (
  <>
    <div class="fields">
      <ChoiceField
        label="Limits of"
        value={draft.observed}
        options={OBSERVED}
        onValue={(observed) => onChange({ observed })}
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

const PolicyField = ({ draft, error, onChange }: FieldsProps) => {
  const { api } = useSession()
  const { data } = useQuery((signal) => api.get<Policies>('api/policies', {}, signal), [])
  return (
    <SuggestField
      label="Policy"
      value={draft.policy}
      required
      placeholder="TENANT/acme"
      suggestions={data?.items.map((policy) => keyPath(keyOf(policy))) ?? []}
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
      onValue={(receiver) => onChange({ receiver })}
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
