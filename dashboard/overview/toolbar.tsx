import { ChoiceField, TextField } from '../parts/field.tsx'
import { PER_PAGE } from './kept-place.ts'
import { SORTS } from './list/entity-rows.ts'
import type { Place } from './use-place.ts'

export const Toolbar = ({ place }: { readonly place: Place }) => (
  <search class="overview-toolbar">
    <TextField label="Search" placeholder="Id or name" value={place.search} onValue={place.setSearch} />
    <ChoiceField label="Order" options={SORTS} value={place.sort} onValue={place.setSort} />
    <ChoiceField
      label="Per page"
      options={PER_PAGE.map(String)}
      value={String(place.perPage)}
      onValue={place.setPerPage}
    />
  </search>
)
