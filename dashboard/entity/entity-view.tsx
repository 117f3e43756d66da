export const EntityView = ({ id }: { readonly id: string }) => (
  <header class="view-head">
    <h1>{id}</h1>
  </header>
)
