import '../limits.css'
import type { Limit } from '../../api/answers.ts'
import { sizeText, sourceText } from '../limit-text.ts'
import type { FieldChange, LimitChange } from './limit-changes.ts'

interface Props {
  readonly changes: readonly LimitChange[]
  /** What counts instead of limits that are removed is known: they are about to be. */
  readonly isAhead?: boolean
}

/** Limits that are added, removed and changed. */
export const LimitChangeList = ({ changes, isAhead = false }: Props) => (
  <ul class="limit-change-list">
    {changes.map((change) => (
      <li key={change.name}>
        <Change change={change} isAhead={isAhead} />
      </li>
    ))}
  </ul>
)

const KINDS = { added: 'good', removed: 'bad', changed: 'warn' } as const

const Change = ({ change, isAhead }: { readonly change: LimitChange; readonly isAhead: boolean }) => (
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
        <del>{change.size}</del> {isAhead && <span class="quiet">{insteadText(change.again)}</span>}
      </p>
    )}
    {change.kind === 'changed' && <FieldChanges fields={change.fields} />}
  </>
)

const insteadText = (again: Limit | undefined): string =>
  again ? `Inherited again: ${sizeText(again)}, ${sourceText(again.source)}` : 'No limit of that name is left'

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
