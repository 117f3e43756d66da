export const Policies = () => (
  <header class="view-head">
    <h1>Policies</h1>
  </header>
)
