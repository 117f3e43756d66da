export const Stats = () => (
  <header class="view-head">
    <h1>Stats</h1>
  </header>
)
