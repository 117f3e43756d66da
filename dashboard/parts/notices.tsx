import './notices.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useSession } from '../api/session.tsx'

interface NoticeProps {
  readonly kind: 'error' | 'success' | 'info'
  readonly children: ComponentChildren
}

/** A message at the place it is about. Screen readers announce errors at once. */
export const Notice = ({ kind, children }: NoticeProps) => (
  <div class={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
    {children}
  </div>
)

/** The message of an error, if there is one. */
export const ErrorNotice = ({ error }: { readonly error: Error | undefined }) =>
  error === undefined ? null : <Notice kind="error">{error.message}</Notice>

interface DoneNoticeProps {
  readonly text: string
  /** Moves the focus here, if the element that had it no longer exists. */
  readonly takesFocus: boolean
}

/** A success message that stays visible while the view scrolls. */
export const DoneNotice = ({ text, takesFocus }: DoneNoticeProps) => {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (takesFocus) element.current?.focus({ preventScroll: true })
  }, [text, takesFocus])
  return (
    <div class="done-notice" ref={element} tabIndex={-1}>
      <Notice kind="success">{text}</Notice>
    </div>
  )
}

interface EmptyStateProps {
  /** The missing thing: `No keys yet`. */
  readonly title: string
  /** The next step. */
  readonly children?: ComponentChildren
}

export const EmptyState = ({ title, children }: EmptyStateProps) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
)

interface NextStepProps {
  /** For roles that may write. */
  readonly writer: string
  readonly viewer: string
}

/** The next step in an empty state, by what the role may do. */
export const NextStep = ({ writer, viewer }: NextStepProps) => {
  const { mayWrite } = useSession()
  return <p>{mayWrite ? writer : viewer}</p>
}
