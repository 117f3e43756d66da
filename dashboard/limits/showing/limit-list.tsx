import './limit-list.css'
import type { Limit } from '../../api/answers.ts'
import { meterText, sizeText, sourceText } from '../limit-text.ts'

interface Props {
  readonly limits: readonly Limit[]
  /** Say where each was set. */
  readonly hasSources?: boolean
}

/** Limits in words, without what is left of them. */
export const LimitList = ({ limits, hasSources = false }: Props) => (
  <ul class="limit-words">
    {limits.map((limit) => (
      <li key={limit.name}>
        <strong class="mono">{limit.name}</strong>
        <span>
          <span class="number">{sizeText(limit)}</span> <span class="quiet">{meterText(limit)}</span>{' '}
          {limit.mode !== undefined && limit.mode !== 'enforce' && <span class="tag warn">{limit.mode}</span>}{' '}
          {hasSources && <span class="tag">{sourceText(limit.source)}</span>}
        </span>
      </li>
    ))}
  </ul>
)
