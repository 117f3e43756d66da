import '../limits.css'
import { sizeText, sourceText } from '../limit-text.ts'
import type { FieldChange, LimitChange } from './limit-changes.ts'

/** Limits that were added, removed and changed. */
export const LimitChangeList = ({ changes }: { readonly changes: readonly LimitChange[] }) => (
  <ul class="limit-change-list">
    {changes.map((change) => (
      <li key={change.name}>
        <Change change={change} />
      </li>
    ))}
  </ul>
)

const KINDS = { added: 'good', removed: 'bad', changed: 'warn' } as const

const Change = ({ change }: { readonly change: LimitChange }) => (
  <>
    <p class="limit-change-head">
      <strong>{change.name}</strong> <span class={`tag ${KINDS[change.kind]}`}>{change.kind}</span>
    </p>
    {change.kind === 'added' && (
      <p>
        <ins>{change.size}</ins>
        {change.instead && (
          <span class="quiet">
            {' '}
            instead of {sizeText(change.instead)}, {sourceText(change.instead.source)}
          </span>
        )}
      </p>
    )}
    {change.kind === 'removed' && (
      <p>
        <del>{change.size}</del>{' '}
        <span class="quiet">
          {change.again
            ? `Inherited again: ${sizeText(change.again)}, ${sourceText(change.again.source)}`
            : 'Not limited by that name any more'}
        </span>
      </p>
    )}
    {change.kind === 'changed' && <FieldChanges fields={change.fields} />}
  </>
)

/** What changed of one thing, each field before and after. */
export const FieldChanges = ({ fields }: { readonly fields: readonly FieldChange[] }) => (
  <dl class="field-changes">
    {fields.map(({ what, before, after }) => (
      <div key={what}>
        <dt>{what}</dt>
        <dd>
          {before !== undefined && <del>{before}</del>}
          {before !== undefined && after !== undefined && <span aria-hidden="true"> → </span>}
          {after !== undefined && <ins>{after}</ins>}
        </dd>
      </div>
    ))}
  </dl>
)
