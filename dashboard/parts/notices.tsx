import './notices.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface NoticeProps {
  readonly kind: 'error' | 'success' | 'info'
  readonly children: ComponentChildren
}

/** A sentence about what has just happened, where it happened; errors are read out at once. */
export const Notice = ({ kind, children }: NoticeProps) => (
  <div class={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
    {children}
  </div>
)

/** What went wrong, if anything did. */
export const ErrorNotice = ({ error }: { readonly error: Error | undefined }) =>
  error === undefined ? null : <Notice kind="error">{error.message}</Notice>

interface DoneNoticeProps {
  readonly text: string
  /** What had the focus is gone: it goes on from here. */
  readonly takesFocus: boolean
}

/** What was done, where it is seen wherever the page is scrolled to. */
export const DoneNotice = ({ text, takesFocus }: DoneNoticeProps) => {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (takesFocus) place.current?.focus({ preventScroll: true })
  }, [text, takesFocus])
  return (
    <div class="said" ref={place} tabIndex={-1}>
      <Notice kind="success">{text}</Notice>
    </div>
  )
}

interface EmptyStateProps {
  /** What is not there. */
  readonly title: string
  /** What to do about it. */
  readonly children?: ComponentChildren
}

export const EmptyState = ({ title, children }: EmptyStateProps) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
)
