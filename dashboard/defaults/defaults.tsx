export const Defaults = () => (
  <header class="view-head">
    <h1>Defaults</h1>
  </header>
)
