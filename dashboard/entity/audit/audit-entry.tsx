import type { Audit } from '../../api/answers.ts'
import { FieldChanges, LimitChangeList } from '../../limits/changes/limit-change-list.tsx'
import { momentText } from '../../parts/time.ts'
import { actionText, fieldDiff, limitDiff, resourceOf } from './audit-diff.ts'

/** One change: when, who, what, and what was before and after. */
export const AuditEntry = ({ item }: { readonly item: Audit['items'][number] }) => {
  const limits = limitDiff(item)
  const fields = fieldDiff(item)
  const resource = resourceOf(item)
  return (
    <li>
      <p class="audit-head">
        <strong>
          {actionText(item.action)}
          {resource !== undefined && ` on ${resource}`}
        </strong>
        <span class="quiet">
          by {item.actor},{' '}
          <time dateTime={new Date(item.at * 1000).toISOString()}>{momentText(item.at)}</time>
        </span>
      </p>
      {fields.length > 0 && <FieldChanges fields={fields} />}
      {limits.length > 0 && <LimitChangeList changes={limits} />}
    </li>
  )
}
