import type { Traffic } from '../api/answers.ts'
import { numberText } from '../parts/numbers/number-text.ts'
import { hrefOf } from '../shell/route.ts'
import { percentText, periodText } from './stats-text.ts'

/** Who was denied most, and what share of all denials that is. */
export const TopDenied = ({ traffic }: { readonly traffic: Traffic }) => (
  <section class="card" aria-labelledby="top-denied-title">
    <h2 id="top-denied-title">Most denied</h2>
    {traffic.top_denied.length === 0 ? (
      <p class="quiet">No request was denied {periodText(traffic.granularity)}.</p>
    ) : (
      <table class="top-denied">
        <thead>
          <tr>
            <th scope="col">Entity</th>
            <th scope="col" class="number">
              Denied
            </th>
            <th scope="col" class="number">
              Share of denials
            </th>
          </tr>
        </thead>
        <tbody>
          {traffic.top_denied.map((entity) => (
            <Row key={entity.entity_id} entity={entity} />
          ))}
        </tbody>
      </table>
    )}
  </section>
)

const Row = ({ entity }: { readonly entity: Traffic['top_denied'][number] }) => {
  const { entity_id: id, name, denied, share_percent } = entity
  return (
    <tr>
      <td>
        <a href={hrefOf({ view: 'entity', id })}>{name}</a>
        {name !== id && <span class="mono quiet denied-id">{id}</span>}
      </td>
      <td class="number">{numberText(denied)}</td>
      <td class="number">
        <span class="share">
          <span class="share-bar" aria-hidden="true">
            <span class="share-fill" style={{ transform: `scaleX(${share_percent / 100})` }} />
          </span>
          <span class="share-text">{percentText(share_percent)}</span>
        </span>
      </td>
    </tr>
  )
}
