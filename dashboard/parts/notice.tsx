import type { ComponentChildren } from 'preact'

interface Props {
  readonly kind: 'error' | 'success' | 'info'
  readonly children: ComponentChildren
}

/** A sentence about what has just happened, where it happened; errors are read out at once. */
export const Notice = ({ kind, children }: Props) => (
  <div class={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
    {children}
  </div>
)

/** What went wrong, if anything did. */
export const ErrorNotice = ({ error }: { readonly error: Error | undefined }) =>
  error === undefined ? null : <Notice kind="error">{error.message}</Notice>
