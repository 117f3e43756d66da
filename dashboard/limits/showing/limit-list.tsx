import './limit-list.css'
import type { Limit } from '../../api/answers.ts'
import { sourceText } from '../limit-text.ts'
import { limitSentence } from './limit-sentence.ts'

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
        <span class="number">
          {limitSentence(limit)}{' '}
          {limit.mode !== undefined && limit.mode !== 'enforce' && <span class="tag warn">{limit.mode}</span>}{' '}
          {hasSources && <span class="tag">{sourceText(limit.source)}</span>}
        </span>
      </li>
    ))}
  </ul>
)
