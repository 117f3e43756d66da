import { hrefOf } from '../shell/route.ts'

const POLICY = /^POLICY:([^:]+):(.+)$/

/** Who has a limit: an entity, or a policy by its scope and selector. */
export const OwnerName = ({ id }: { readonly id: string }) => {
  const [, scope, selector] = POLICY.exec(id) ?? []
  if (scope === undefined) return <a href={hrefOf({ view: 'entity', id })}>{id}</a>
  return (
    <a href={hrefOf({ view: 'policies' })}>
      {scope} {selector}
    </a>
  )
}
