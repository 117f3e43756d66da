import './defaults.css'
import { DefaultLimits } from './limits/default-limits.tsx'
import { ModelsSection } from './models/models-section.tsx'

export const Defaults = () => (
  <>
    <header class="view-head">
      <h1>Defaults</h1>
    </header>
    <DefaultLimits />
    <ModelsSection />
  </>
)
