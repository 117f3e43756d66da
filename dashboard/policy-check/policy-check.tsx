export const PolicyCheck = () => (
  <header class="view-head">
    <h1>Policy check</h1>
  </header>
)
