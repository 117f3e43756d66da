export const Overview = () => (
  <header class="view-head">
    <h1>Overview</h1>
  </header>
)
