import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/layout.css'
import { render } from 'preact'
import { Dashboard } from './shell/dashboard.tsx'

const root = document.getElementById('page')
if (root) render(<Dashboard />, root)
