import { useEffect, useState } from 'preact/hooks'

const THEMES = ['auto', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]

const NAMES: Readonly<Record<Theme, string>> = { auto: 'Auto', light: 'Light', dark: 'Dark' }
const KEPT_AS = 'zael-theme'

const kept = (): Theme => THEMES.find((theme) => theme === localStorage.getItem(KEPT_AS)) ?? 'auto'

/** The theme that was chosen in this browser; until then the system's. */
export const ThemeChoice = () => {
  const [theme, setTheme] = useState(kept)
  useEffect(() => {
    document.documentElement.dataset.theme = theme
    localStorage.setItem(KEPT_AS, theme)
  }, [theme])
  return (
    <label class="theme-choice">
      <span class="unseen">Theme</span>
      <select
        value={theme}
        onChange={(event) => setTheme(THEMES.find((each) => each === event.currentTarget.value) ?? 'auto')}
      >
        {THEMES.map((each) => (
          <option key={each} value={each}>
            {NAMES[each]}
          </option>
        ))}
      </select>
    </label>
  )
}
