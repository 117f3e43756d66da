import type { ComponentChildren } from 'preact'

interface Props {
  /** What is not there. */
  readonly title: string
  /** What to do about it. */
  readonly children?: ComponentChildren
}

export const Empty = ({ title, children }: Props) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
)
