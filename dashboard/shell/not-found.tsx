import { Empty } from '../parts/empty.tsx'
import { hrefOf } from './route.ts'

/** An address that no view has. */
export const NotFound = ({ address }: { readonly address: string }) => (
  <>
    <header class="view-head">
      <h1>Page not found</h1>
    </header>
    <section class="card">
      <Empty title={`There is no page at #/${address}`}>
        <p>
          The link may be mistyped or out of date.{' '}
          <a href={hrefOf({ view: 'overview' })}>Go to the overview</a>
        </p>
      </Empty>
    </section>
  </>
)
