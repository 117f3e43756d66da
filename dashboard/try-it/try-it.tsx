export const TryIt = ({ id }: { readonly id: string | undefined }) => (
  <header class="view-head">
    <h1>Try it {id}</h1>
  </header>
)
